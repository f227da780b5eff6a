"""Every pair is shown in both orders; what cannot be shown is left out or said."""

from __future__ import annotations

import pytest

from evalkit.errors import JudgeError
from evalkit.judging.pairing import pair
from evalkit.records import Order
from tests.judging.pairs import answer, comparisons, prompt, shipped_judge

AYA, HARM = shipped_judge("aya-pairwise"), shipped_judge("red-team-harm")


def test_both_orders_and_every_repeat() -> None:
    made = comparisons(AYA, repeats=3)
    assert [(item.repeat, item.order) for item in made] == [(k, order) for k in range(3) for order in Order]
    first, second = made[0], made[1]
    assert first.answers == second.answers[::-1]


def test_a_judge_of_single_answers_has_one_order() -> None:
    assert [item.order for item in comparisons(HARM)] == [Order.FORWARD]


def test_pairs_without_both_answers_are_left_out() -> None:
    prompts = [prompt(id=str(n)) for n in range(3)]
    own = [answer("x", id="0"), answer("x", id="1")]
    other = [answer("y", id="1", model="baseline"), answer("y", id="2", model="baseline")]
    assert {item.prompt.id for item in pair(prompts, own, other, judge="j", definition=AYA)} == {"1"}


def test_languages_stay_together_for_the_prefix_cache() -> None:
    prompts = [prompt(language, id=str(n)) for n in range(2) for language in ("de", "fr")]
    answers = [answer("x", language=item.language, id=item.id) for item in prompts]
    order = [item.prompt.language for item in pair(prompts, answers, answers, judge="j", definition=AYA)]
    assert order == ["de"] * 4 + ["fr"] * 4


def test_a_required_reference_that_is_missing_is_said_before_anything_is_asked() -> None:
    with pytest.raises(JudgeError, match="1 of 1 prompts have no reference"):
        comparisons(shipped_judge("reference-agreement"), of=prompt())


def test_rewards_read_every_answer_under_the_english_prompt() -> None:
    reward = shipped_judge("implicit-reward")
    prompts = [prompt("en", id="1", text="Say it."), prompt("de", id="1", text="Sag es.")]
    answers = [answer("x", language=item.language, id="1") for item in prompts]
    made = pair(prompts, answers, answers, judge="r", definition=reward)
    assert {item.prompt.meta["english"] for item in made} == {"Say it."}
    with pytest.raises(JudgeError, match="no English version"):
        pair(prompts[1:], answers, answers, judge="r", definition=reward)
