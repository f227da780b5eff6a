"""The sentence says who is ahead as the intervals say, names languages, and warns of rules in place of a judge."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from evalkit.report.summary import headline, summarize
from evalkit.report.tables import languages
from evalkit.report.view import View
from evalkit.results import Results
from tests.results_of import results_of


def results(
    low: float, high: float, *, controlled: float | None = 0.5, claims: tuple[str, ...] = (), offline: bool = False
) -> Results:
    tags = ["de", "ar"]
    row = {"candidate": "c", "judge": "j", "slice": None, "n": 805, "confidence_level": 0.95, "method": "wilson"}

    def rows(metric: str, value: float | None) -> list[dict[str, Any]]:
        bounds = {"value": value, "low": None if value is None else low, "high": None if value is None else high}
        return [{**row, "metric": metric, "language": language, **bounds} for language in [*tags, "macro"]]

    return results_of(
        judges=[{"name": "j", "offline": offline}],
        suite={"name": "s", "languages": tags},
        estimates=rows("win_rate", 0.5) + rows("length_controlled_win_rate", controlled),
        claims=[
            {"judge": "j", "language": tag, "metric": "length_controlled_win_rate", "claim": claim}
            for tag, claim in zip(tags, claims, strict=False)
        ],
    )


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [(0.51, 0.56, "is ahead of"), (0.4, 0.49, "is behind"), (0.45, 0.56, "is not clearly different from")],
)
def test_standing_follows_the_interval(low: float, high: float, words: str) -> None:
    assert headline(results(low, high)).startswith(f"c {words} b: length-controlled win rate 50.0%")


def test_languages_are_named_by_their_claims() -> None:
    assert "Better in 2 (Arabic, German)." in headline(results(0.51, 0.6, claims=("better", "better")))
    assert "Undecided in 2." in headline(results(0.4, 0.6, claims=("unclear", "unclear")))


def test_a_verdict_on_the_raw_win_rate_is_marked_in_the_table() -> None:
    rows = {row[0]: row for row in languages(View(results(0.51, 0.6, controlled=None))).texts}
    assert "▲ better, raw" in rows["German"]
    rows = {row[0]: row for row in languages(View(results(0.51, 0.6, claims=("better", "unclear")))).texts}
    assert "▲ better" in rows["German"]
    assert "– undecided" in rows["Arabic"]


def test_without_length_control_the_raw_win_rate_speaks_and_says_so() -> None:
    text = headline(results(0.45, 0.55, controlled=None))
    assert ": win rate 50.0% (95% interval 45.0 to 55.0), the mean over 2 languages." in text
    assert "Length control is not available: wilson." in text


def test_a_mean_over_some_languages_never_stands_for_all() -> None:
    given = results(0.45, 0.55)
    german = next(row for row in given.estimates if row.language == "de" and row.metric.startswith("length"))
    without = [replace(row, value=math.nan) if row is german else row for row in given.estimates]
    given = replace(given, estimates=tuple(without))
    assert ": win rate 50.0%" in headline(given)
    assert "Length control is possible in 1 of 2 languages only." in headline(given)


def test_offline_rules_are_named_before_anything_else() -> None:
    assert headline(results(0.4, 0.6, offline=True)).startswith("Judged by the embedded offline rules, not by a model")
    assert summarize(results(0.4, 0.6)).warning == ""
