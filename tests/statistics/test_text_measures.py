"""Profiles of texts: the measures by hand, and how they stand in the results of a run."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.stats import ttest_rel

from evalkit.calls import Message
from evalkit.records import Generation, Prompt, json_ready
from evalkit.results import Analysis
from evalkit.settings import StatisticsSettings
from evalkit.statistics.analysis import analyze
from evalkit.statistics.text_measures import MEASURES, Scores, measures, mtld, repetition

N = 30


def test_lexical_diversity_falls_with_repetition() -> None:
    varied = [f"word{index}" for index in range(200)]
    assert mtld(varied) == 200
    assert mtld(["a", "b"] * 100) == pytest.approx(3, abs=0.5)
    assert mtld([f"w{index % 30}" for index in range(200)]) < 60
    assert math.isnan(mtld([]))


def test_mtld_of_a_worked_example() -> None:
    """a b a a: the ratio is 2/3 after `a b a` (one factor), then `a` alone has ratio 1 (no part of a factor)."""
    forward = 4 / 1
    backward = 4 / (1 + (1 - 1) / 0.28)  # a a: 1/2, a factor; then b a, ratio 1
    assert mtld(["a", "b", "a", "a"]) == pytest.approx((forward + backward) / 2)


def test_repetition_counts_sequences_that_stood_before() -> None:
    assert repetition(["a", "b", "c", "d"] * 2) == pytest.approx(1 / 5)
    assert repetition(["a"] * 3) == 0
    assert repetition([f"{index}" for index in range(50)]) == 0


def spaced(text: str, language: str) -> list[str]:
    return text.split()


def test_one_answer_by_hand() -> None:
    found = dict(zip(MEASURES, measures("# T\n- **a** costs 3.5. Why?", "en", split=spaced), strict=True))
    assert found["characters"] == 27
    assert found["words"] == 7
    assert found["sentence_words"] == 3.5  # the point in 3.5 ends nothing
    assert math.isnan(found["diversity"])  # fewer than 50 words
    assert found["repetition"] == 0
    assert (found["headings"], found["lists"], found["bold"]) == pytest.approx((1000 / 27,) * 3)
    assert all(math.isnan(value) for value in measures("  ", "en", split=spaced))


def answers(model: str, language: str, sizes: list[int]) -> list[Generation]:
    return [
        Generation(model=model, prompt_id=str(index), language=language, text="gut " * size)
        for index, size in enumerate(sizes)
    ]


@pytest.fixture(scope="module")
def sides() -> tuple[list[Generation], list[Generation]]:
    """Lengths by chance in two languages; the candidate has no answer to prompt 0, an empty one to prompt 1."""
    rng = np.random.default_rng(3)
    found = []
    for model in "cb":
        own = [item for tag in ("de", "th") for item in answers(model, tag, rng.integers(1, 90, N).tolist())]
        found.append(own)
    empty = Generation(model="c", prompt_id="1", language="de", text=" ")
    found[0] = [item for item in found[0] if item.prompt_id not in {"0", "1"}] + [empty]
    return found[0], found[1]


def rows(*sides: list[Generation], **settings: Any) -> dict[tuple[str, str, str], dict[str, Any]]:
    """The profile as it stands in results.json: undefined figures are None."""
    found = json_ready(analysed(*sides, **settings).profile)
    return {(row["side"], row["language"], row["measure"]): row for row in found}


def analysed(
    candidate: list[Generation], baseline: list[Generation], *, scores: Scores | None = None, **settings: Any
) -> Analysis:
    return analyze(
        prompts=[
            Prompt(id=str(index), language=language, messages=(Message("user", f"{language} {index}"),))
            for language in ("de", "th")
            for index in range(N)
        ],
        candidate_answers=candidate,
        baseline_answers=baseline,
        candidate_checks={},
        baseline_checks={},
        verdicts=(),
        outcomes=(),
        settings=StatisticsSettings(**({"profile": True, "n_resamples": 400} | settings)),
        candidate="c",
        baseline="b",
        scores=scores,
    )


def test_means_are_of_a_side_and_differences_of_prompts_with_both(sides: Any) -> None:
    found = rows(*sides)
    assert len(found) == 2 * 2 * len(MEASURES)
    lengths = [{a.key: len(a.text.split()) for a in own if a.text.strip()} for own in sides]
    ours, theirs = ([n for key, n in own.items() if key[0] == "de"] for own in lengths)
    row, other = found["candidate", "de", "words"], found["baseline", "de", "words"]
    assert (row["n"], row["mean"]) == (N - 2, pytest.approx(np.mean(ours)))
    assert (other["n"], other["mean"]) == (N, pytest.approx(np.mean(theirs)))
    both = [key for key in lengths[0] if key[0] == "de"]
    test = ttest_rel([lengths[0][key] for key in both], [lengths[1][key] for key in both])
    interval = test.confidence_interval(0.95)
    assert (row["pairs"], row["clusters"]) == (N - 2, N - 2)
    assert (row["low"], row["high"]) == pytest.approx((interval.low, interval.high))
    assert row["bootstrap_low"] == pytest.approx(row["low"], abs=0.2 * (row["high"] - row["low"]))
    assert "words by ICU" in row["method"]
    assert "words" not in found["candidate", "de", "bold"]["method"]


def test_exchanging_the_sides_turns_every_difference(sides: Any) -> None:
    straight, swapped = rows(*sides), rows(*reversed(sides))
    for (side, language, measure), row in straight.items():
        twin = swapped["baseline" if side == "candidate" else "candidate", language, measure]
        other = swapped[side, language, measure]
        assert row["mean"] == pytest.approx(twin["mean"], nan_ok=True)
        for name in ("difference", "low", "high", "standard_error", "bootstrap_low", "bootstrap_high"):
            assert row[name] == pytest.approx(twin[name])
        if row["difference"] is not None:
            assert row["difference"] == pytest.approx(-other["difference"])


def test_a_language_is_what_it_is_without_the_others(sides: Any) -> None:
    alone = rows(*([item for item in own if item.language == "de"] for own in sides), n_resamples=0)
    beside = rows(*sides, n_resamples=0)
    for measure in MEASURES:
        assert alone["candidate", "de", measure] == beside["candidate", "de", measure]
    nothing = alone["candidate", "th", "words"]
    assert (nothing["mean"], nothing["difference"], nothing["n"]) == (None, None, 0)
    assert nothing["method"].startswith("no prompt has this measure on both sides")


def test_plugged_in_scores_are_a_measure_like_any_other(sides: Any) -> None:
    scored = {("de", str(index)): 0.25 for index in range(10)} | {("de", "10"): math.inf, ("de", "11"): math.nan}
    found = rows(*sides, scores={"toxicity": {"candidate": scored, "baseline": {("de", "5"): 0.75}}})
    row = found["candidate", "de", "toxicity"]
    assert (row["mean"], row["n"]) == (0.25, 10)
    assert (row["difference"], row["pairs"], row["low"]) == (-0.5, 1, None)
    assert found["baseline", "th", "toxicity"]["mean"] is None


def test_without_being_asked_for_there_is_no_profile(sides: Any) -> None:
    assert analysed(*sides, profile=False).profile is None


def test_scorers_without_a_profile_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="profile_scorers needs `profile: true`"):
        StatisticsSettings(profile_scorers=("toxicity",))
