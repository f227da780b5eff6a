"""Length control of rewards: α balances the lengths of winners and losers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from evalkit.judging.outcomes import settle
from evalkit.judging.reading import compare
from evalkit.records import Choice, Comparison, Verdict
from tests.judging.pairs import comparisons, prompt, shipped_judge

REWARD = shipped_judge("implicit-reward")


def case(number: int, a: tuple[float, int], b: tuple[float, int]) -> tuple[Comparison, Verdict]:
    """One pair: (reward, length in characters) of each side."""
    (item,) = comparisons(REWARD, "x" * a[1], "x" * b[1], of=prompt(id=str(number), meta={"english": "Say."}))
    said = compare(a[0], b[0])
    return item, Verdict(judge=item.judge, prompt_id=str(number), language="en", order=item.order, **said)


def settled(*cases: tuple[Comparison, Verdict]) -> list[Verdict]:
    return settle({REWARD.name: REWARD}, [item for item, _ in cases], [item for _, item in cases])


def test_a_reward_that_only_counts_characters_decides_nothing_any_more() -> None:
    """Reward 0.05 a character: at α = 0.05 every pair ties, and winners are no longer than losers."""
    found = settled(*(case(n, (0.05 * m, m), (0.05 * 100, 100)) for n, m in enumerate(range(110, 200, 10))))
    assert {verdict.notes["alpha"] for verdict in found} == {"0.050"}
    assert {verdict.choice for verdict in found} == {Choice.TIE}


def test_equal_lengths_need_no_control() -> None:
    before = [case(n, (float(n), 50), (2.5, 50)) for n in range(5)]
    found = settled(*before)
    assert [item.choice for item in found] == [verdict.choice for _, verdict in before]
    assert {verdict.notes["alpha"] for verdict in found} == {"0.000"}


def test_a_short_answer_that_is_better_keeps_winning() -> None:
    found = settled(
        *(case(n, (9.0, 40), (1.0, 300)) for n in range(3)), *(case(n, (2.0, 300), (1.5, 40)) for n in range(3, 6))
    )
    assert [item.choice for item in found[:3]] == [Choice.A] * 3
    assert all(item.score_a == pytest.approx(9.0 - float(item.notes["alpha"]) * 40) for item in found[:3])


def test_other_judges_are_left_alone() -> None:
    free = REWARD.model_copy(update={"length_control": False})
    item, verdict = case(0, (9.0, 300), (1.0, 40))
    assert settle({REWARD.name: free}, [item], [verdict]) == [verdict]


def test_languages_have_an_alpha_each() -> None:
    english = [case(n, (0.05 * m, m), (0.05 * 100, 100)) for n, m in enumerate(range(110, 200, 10))]
    chinese = [case(n, (0.5 * m, m), (0.5 * 100, 100)) for n, m in enumerate(range(110, 200, 10))]
    zh = [
        (replace(item, prompt=replace(item.prompt, language="zh")), replace(verdict, language="zh"))
        for item, verdict in chinese
    ]
    found = settled(*english, *zh)
    assert {(verdict.language, verdict.notes["alpha"]) for verdict in found} == {("en", "0.050"), ("zh", "0.500")}
