"""Several runs against one baseline: paired differences and standings."""

from __future__ import annotations

import math

import numpy as np
import pytest

from evalkit.calls import Message
from evalkit.records import MACRO, MICRO, PANEL, Generation, Outcome, Prompt, RunData
from evalkit.settings import StatisticsSettings
from evalkit.statistics.paired import compare
from evalkit.statistics.standings import judges_of, standings

SETTINGS = StatisticsSettings(n_resamples=400)


def run(
    candidate: str,
    scores: dict[str, dict[str, np.ndarray]],
    *,
    ids: range | None = None,
) -> RunData:
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

    return RunData(
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
        results={},
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


def test_standings_rank_candidates_and_admit_what_cannot_be_told() -> None:
    runs = [
        run("weak", {"j": {"de": draw(2, shift=-1), "sw": draw(3, shift=-1)}}),
        run("good", {"j": {"de": draw(4, shift=1), "sw": draw(5, shift=1)}}),
        run("same", {"j": {"de": draw(6, shift=1), "sw": draw(7, shift=1)}}),
    ]
    assert judges_of(runs) == ["j"]
    found = {
        (row.candidate, row.language): row for row in standings(runs, SETTINGS, judge="j") if row.metric == "win_rate"
    }
    weak, good, same = (found[name, MACRO] for name in ("weak", "good", "same"))
    assert (weak.rank, weak.rank_low, weak.rank_high) == (3, 3, 3)
    assert {good.rank, same.rank} == {1, 2}
    assert (good.rank_low, good.rank_high) == (same.rank_low, same.rank_high) == (1, 2)
    assert (weak.rating < 1000) == (weak.value < 0.5)
    assert good.value == pytest.approx((found["good", "de"].value + found["good", "sw"].value) / 2)
    assert good.low < good.value < good.high


def test_the_macro_mean_of_standings_is_over_shared_languages_only() -> None:
    runs = [run("a", {"j": {"de": draw(2), "sw": draw(3)}}), run("b", {"j": {"de": draw(4)}})]
    found = {
        (row.candidate, row.language): row for row in standings(runs, SETTINGS, judge="j") if row.metric == "win_rate"
    }
    assert found["a", MACRO].value == pytest.approx(found["a", "de"].value)
    assert found["b", "sw"].rank == 0
    assert math.isnan(found["b", "sw"].value)


def test_a_panel_of_judges_has_standings_of_its_own() -> None:
    runs = [
        run("a", {"j": {"de": draw(2)}, "k": {"de": draw(3)}}),
        run("b", {"j": {"de": draw(4)}, "k": {"de": draw(5)}}),
    ]
    assert judges_of(runs) == ["j", "k", PANEL]
    panel = next(row for row in standings(runs, SETTINGS, judge=PANEL) if row.metric == "win_rate")
    assert panel.value == pytest.approx(float((draw(2) + draw(3)).mean() / 2))
