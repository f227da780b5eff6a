from __future__ import annotations

import math

import numpy as np
import pytest

from evalkit.calls import Message
from evalkit.records import MACRO, MICRO, Generation, Outcome, Prompt, RunRecords
from evalkit.settings import StatisticsSettings
from evalkit.statistics.paired import compare

SETTINGS = StatisticsSettings(n_resamples=400)


def run(
    candidate: str,
    scores: dict[str, dict[str, np.ndarray]],
    *,
    ids: range | None = None,
) -> RunRecords:
    """A run with given scores: judge → language → score by prompt."""
    languages = next(iter(scores.values()))
    numbers = ids or range(len(next(iter(languages.values()))))
    keys = [(language, str(number)) for language in languages for number in numbers]
    prompts = tuple(
        Prompt(id=number, language=language, messages=(Message("user", f"{number} in {language}"),))
        for language, number in keys
    )
    outcomes = tuple(
        Outcome(judge=judge, prompt_id=str(number), language=language, score=score, forward=score, swapped=score)
        for judge, by_language in scores.items()
        for language, column in by_language.items()
        for number, score in zip(numbers, column.tolist(), strict=True)
    )

    def answers(model: str, factor: int) -> tuple[Generation, ...]:
        return tuple(
            Generation(model=model, prompt_id=number, language=language, text="x" * (20 + factor * int(number) % 37))
            for language, number in keys
        )

    return RunRecords(
        suite={},
        candidate=candidate,
        baseline="base",
        prompts=prompts,
        candidate_answers=answers(candidate, 7),
        baseline_answers=answers("base", 11),
        candidate_checks={},
        baseline_checks={},
        verdicts=(),
        outcomes=outcomes,
        failures=(),
    )


def draw(seed: int, n: int = 200, shift: float = 0.0) -> np.ndarray:
    """Scores that share each prompt's difficulty between candidates and languages."""
    difficulty = np.random.default_rng(1).normal(size=n)
    noise = np.random.default_rng(seed).normal(size=n)
    return np.clip(np.round(difficulty + shift + noise) / 2 + 0.5, 0, 1)


def test_a_run_compared_with_itself_differs_by_nothing() -> None:
    data = run("a", {"j": {"de": draw(2), "sw": draw(3)}})
    for row in compare(data, data, SETTINGS):
        assert row.value == 0
        assert row.p_value == 1
        assert row.correlation == pytest.approx(1)


def test_differences_are_paired_by_prompt_and_turn_round_with_the_runs() -> None:
    a, b = run("a", {"j": {"de": draw(2), "sw": draw(3)}}), run("b", {"j": {"de": draw(4, shift=0.4), "sw": draw(5)}})
    there, back = compare(a, b, SETTINGS), compare(b, a, SETTINGS)
    assert [(row.language, row.metric) for row in there] == [
        ("de", "win_rate"),
        ("sw", "win_rate"),
        (MACRO, "win_rate"),
        (MICRO, "win_rate"),
        ("de", "length_controlled_win_rate"),
        ("sw", "length_controlled_win_rate"),
        (MACRO, "length_controlled_win_rate"),
    ]
    for one, other in zip(there, back, strict=True):
        assert one.value == pytest.approx(-other.value)
        assert (one.low, one.high) == pytest.approx((-other.high, -other.low))
    de = there[0]
    assert de.value == pytest.approx(float((draw(2) - draw(4, shift=0.4)).mean()))
    unpaired = math.hypot(draw(2).std(ddof=1), draw(4, shift=0.4).std(ddof=1)) / math.sqrt(200)
    assert de.standard_error < 0.9 * unpaired
    assert de.correlation > 0.3
    assert de.p_holm >= de.p_value
    assert de.bootstrap_low == pytest.approx(de.low, abs=0.01)


def test_only_pairs_that_both_scored_are_compared() -> None:
    first, second = draw(2), draw(4)
    first[:20], second[10:50] = np.nan, np.nan
    row = compare(run("a", {"j": {"de": first}}), run("b", {"j": {"de": second}}), SETTINGS)[0]
    assert row.n == 150
    assert row.first == pytest.approx(first[50:].mean())


def test_runs_without_a_shared_prompt_have_no_difference() -> None:
    a, b = run("a", {"j": {"de": draw(2)}}), run("b", {"j": {"de": draw(3)}}, ids=range(1000, 1200))
    assert all(math.isnan(row.value) for row in compare(a, b, SETTINGS))
