"""Probabilities, scores and rewards become verdicts; what cannot be told is unreadable, never a tie."""

from __future__ import annotations

import json
import math
import random
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.calls import Response, Unreadable
from evalkit.judging.outcomes import rates
from evalkit.judging.reading import label_masses, read
from evalkit.records import Choice, Verdict
from tests.judging.pairs import forward, hear, shipped_judge

XALPACA, HARM, SUMMARY, REWARD, SCALAR = map(
    shipped_judge, ("xalpaca", "red-team-harm", "summary-faithfulness", "implicit-reward", "skywork-reward")
)


def tokens(**chances: float) -> Response:
    pairs = ((token.replace("_", " "), math.log(p) if p else -math.inf) for token, p in chances.items())
    return Response(text="A", top_logprobs=tuple(pairs))


def test_the_preference_is_the_share_of_a_over_all_its_variants() -> None:
    heard = hear(XALPACA, tokens(A=0.5, _A=0.2, B=0.2, _B=0.05, The=0.05))
    assert isinstance(heard, Verdict)
    assert heard.preference == pytest.approx(0.7 / 0.95)
    assert heard.soft
    assert heard.choice is Choice.A
    assert heard.notes == {"mass": "0.9500"}


@pytest.mark.parametrize("token", ["A", " A", "ĠA", "▁A"])
def test_the_space_before_a_label_is_read_in_every_vocabulary(token: str) -> None:
    heard = hear(XALPACA, Response(text="A", top_logprobs=((token, -0.01),)))
    assert isinstance(heard, Verdict)
    assert heard.preference == 1


@pytest.mark.parametrize("token", ["a", "Answer", "A:", "Ab", "AA"])
def test_what_is_not_a_label_is_none(token: str) -> None:
    heard = hear(XALPACA, Response(text="A", top_logprobs=((token, -0.01),)))
    assert isinstance(heard, Unreadable)
    assert heard.kind == "low_mass"


def test_a_label_that_is_not_among_the_likely_tokens_has_no_probability() -> None:
    heard = hear(XALPACA, tokens(B=0.97))
    assert isinstance(heard, Verdict)
    assert heard.preference == 0


def test_labels_that_hold_too_little_probability_are_no_verdict() -> None:
    heard = hear(XALPACA, tokens(A=0.5, B=0.3, The=0.2))
    assert isinstance(heard, Unreadable)
    assert heard.kind == "low_mass"
    assert "0.800" in heard.message


def test_a_server_without_log_probabilities_is_told_apart() -> None:
    heard = hear(XALPACA, Response(text="A"))
    assert isinstance(heard, Unreadable)
    assert heard.kind == "no_logprobs"


@pytest.mark.parametrize("value", [math.nan, 5.0])
def test_impossible_probabilities_are_unreadable(value: float) -> None:
    heard = hear(XALPACA, Response(text="A", top_logprobs=(("A", value), ("B", -1.0))))
    assert isinstance(heard, Unreadable)


@given(st.floats(0.0, 1.0))
def test_exchanging_the_labels_gives_the_complement(p: float) -> None:
    one, other = hear(XALPACA, tokens(A=p, B=1 - p)), hear(XALPACA, tokens(A=1 - p, B=p))
    assert isinstance(one, Verdict)
    assert isinstance(other, Verdict)
    assert one.preference + other.preference == pytest.approx(1)


def harm(level: str) -> str:
    return f'{{"language": "ok", "engagement": "partial", "reason": "…", "harm": "{level}"}}'


@pytest.mark.parametrize(
    ("a", "b", "choice"), [("none", "severe", Choice.A), ("serious", "mild", Choice.B), ("mild", "mild", Choice.TIE)]
)
def test_the_less_harmful_answer_wins(a: str, b: str, choice: Choice) -> None:
    heard = hear(HARM, harm(a), harm(b))
    assert isinstance(heard, Verdict)
    assert heard.choice is choice
    assert heard.notes["harm_a"] == a
    assert heard.notes["engagement_b"] == "partial"


def test_what_was_noted_of_single_answers_becomes_shares() -> None:
    said = [hear(HARM, harm(a), harm(b)) for a, b in (("severe", "none"), ("serious", "mild"), ("none", "severe"))]
    verdicts = [replace(verdict, prompt_id=str(n)) for n, verdict in enumerate(said) if isinstance(verdict, Verdict)]
    found = rates({HARM.name: HARM}, verdicts)[HARM.name]
    assert found["harmful_rate"] == {("en", "0"): 1, ("en", "1"): 1, ("en", "2"): 0}
    assert found["baseline_harmful_rate"] == {("en", "0"): 0, ("en", "1"): 0, ("en", "2"): 1}
    assert set(found["refusal_rate"].values()) == {0}
    assert rates({}, verdicts) == {}


def summary(faithfulness: object, coverage: object, language: object) -> str:
    return f'{{"reason": "…", "faithfulness": {faithfulness}, "coverage": {coverage}, "language": {language}}}'


def test_scores_are_weighed() -> None:
    heard = hear(SUMMARY, summary(5, 2, 5), summary(3, 5, 5))
    assert isinstance(heard, Verdict)
    assert heard.score_a == pytest.approx((3 * 5 + 2 * 2 + 5) / 6)
    assert heard.score_b == pytest.approx((3 * 3 + 2 * 5 + 5) / 6)
    assert heard.choice is Choice.TIE


def test_a_number_may_be_written_as_text() -> None:
    heard = hear(SUMMARY, summary('"4"', 4.0, 4), summary(3, 3, 3))
    assert isinstance(heard, Verdict)
    assert heard.choice is Choice.A


@pytest.mark.parametrize("value", [0, 6, 4.5, '"high"', "true", "null", '"4/5"', "1e999", "-1"])
def test_a_score_off_its_scale_is_no_score(value: object) -> None:
    heard = hear(SUMMARY, summary(value, 3, 3), summary(3, 3, 3))
    assert isinstance(heard, Unreadable)
    assert heard.message.startswith("answer A: 'faithfulness' cannot be")


def test_one_unreadable_answer_leaves_the_pair_without_verdict() -> None:
    heard = hear(SUMMARY, summary(3, 3, 3), "I cannot say.")
    assert isinstance(heard, Unreadable)
    assert heard.message.startswith("answer B")


def scored(*values: float) -> Response:
    return Response(text="", token_logprobs=values)


def test_a_reward_is_the_difference_of_log_probabilities() -> None:
    heard = hear(REWARD, scored(-1.0, -2.0), scored(-2.0, -2.5), scored(-1.0), scored(-1.5))
    assert isinstance(heard, Verdict)
    assert heard.score_a == pytest.approx(1.5)
    assert heard.score_b == pytest.approx(0.5)
    assert heard.choice is Choice.A
    assert not heard.soft


def test_a_reward_without_token_probabilities_is_told_apart() -> None:
    heard = hear(REWARD, scored(-1.0), scored(-1.0), scored(-1.0), scored())
    assert isinstance(heard, Unreadable)
    assert heard.kind == "no_logprobs"


def test_the_higher_scalar_reward_wins_and_equal_ones_tie() -> None:
    for a, b, choice in ((1.5, -2.0, Choice.A), (-3.0, -2.9, Choice.B), (0.25, 0.25, Choice.TIE)):
        heard = hear(SCALAR, Response(text="", score=a), Response(text="", score=b))
        assert isinstance(heard, Verdict)
        assert (heard.score_a, heard.score_b, heard.choice, heard.soft) == (a, b, choice, False)


def test_a_reward_model_without_a_number_has_given_no_verdict() -> None:
    heard = hear(SCALAR, Response(text="", score=1.0), Response(text="fine"))
    assert isinstance(heard, Unreadable)
    assert heard.kind == "unreadable"


def test_a_verdict_says_where_it_comes_from() -> None:
    response = Response(text="A", top_logprobs=(("A", -0.01),), served_model="gpt-4.1-2025", fingerprint="fp")
    heard = read(XALPACA, forward(XALPACA, language="sw"), [response], keys=["k1"], attempt=2)
    assert isinstance(heard, Verdict)
    assert (heard.language, heard.prompt_id, heard.judge) == ("sw", "p1", "xalpaca")
    assert (heard.request_keys, heard.attempts) == (("k1",), 3)
    assert (heard.served_model, heard.fingerprint) == ("gpt-4.1-2025", "fp")


@pytest.mark.realdata
@pytest.mark.parametrize("model", ["NullModel", "gpt-3.5-turbo-0301"])
def test_published_log_probabilities_give_the_published_preferences(shared: Path, model: str) -> None:
    """AlpacaEval 2's own replies, read with its labels: m is the answer shown first, M the second."""
    variants = {Choice.A: ("m",), Choice.B: ("M",)}
    rows = json.loads((shared / f"alpacaeval2/raw/{model}.json").read_text("utf-8"))
    replies = [row for row in rows if row["raw_completion"]]
    assert len(replies) >= 804
    for row in replies:
        (first,) = row["raw_completion"]["logprobs"]["content"]
        masses = label_masses(variants, [(item["token"], item["logprob"]) for item in first["top_logprobs"]])
        preference = masses[Choice.A] / (masses[Choice.A] + masses[Choice.B])
        swapped = random.Random("is_switched_outputs" + row["instruction"] + "0").choices([False, True])[0]
        second_is_better = preference if swapped else 1 - preference
        assert 1 + second_is_better == pytest.approx(row["preference"], abs=1e-9)
