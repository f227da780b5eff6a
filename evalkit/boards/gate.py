"""The gate: may this candidate be released? Pass, fail, or the data cannot tell.

Non-inferiority (ICH E9, E10): the gate passes where the data exclude a regression larger than the bound, fails where
they prove one, and says that it cannot tell in between. Each way of being wrong has probability alpha at most, with
alpha half of what the interval leaves out (2.5% for 95%):

- passing although the candidate is worse than allowed. Over several languages all must pass, so each is tested at
  alpha as it is (intersection-union test, Berger 1982).
- failing although it is not. Over several languages one failure is enough, so the p-values are Holm's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy.special import ndtr, stdtr

from evalkit.errors import Problem, RunError
from evalkit.records import MACRO, MICRO, Estimate
from evalkit.results import Results
from evalkit.statistics.claims import holm
from evalkit.statistics.figures import Figures, Floats
from evalkit.statistics.intervals import counted_n, normal_quantile, score_statistic, student_interval


class Decision(StrEnum):
    """What a gate says, and the exit code it ends with."""

    PASS = "pass"  # noqa: S105  not a password
    """0: no worse than allowed, with confidence."""
    FAIL = "fail"
    """1: worse than allowed, with confidence."""
    UNCLEAR = "cannot tell"
    """4: the interval holds the bound."""

    @property
    def exit_code(self) -> int:
        """0, 1 or 4."""
        return {Decision.PASS: 0, Decision.FAIL: 1, Decision.UNCLEAR: 4}[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """One figure held against its bound."""

    question: str
    """`regression` (difference from a stored run) or `win rate`."""
    language: str
    """A tag or macro."""
    value: float
    low: float
    high: float
    bound: float
    """The smallest value that is allowed."""
    p_pass: float
    """One-sided, of the hypothesis that the true value is at or below the bound."""
    p_fail: float
    """One-sided, of the hypothesis that it is at or above; Holm's over the languages."""
    answer: Decision
    n: int
    """Scored pairs."""
    first: float = float("nan")
    """Regression: the candidate's own figure."""
    second: float = float("nan")
    """Regression: the stored run's figure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """The gate's answer and what it rests on."""

    candidate: str
    against: str | None
    """The stored run's candidate, where there is one."""
    metric: str
    answer: Decision
    confidence_level: float
    tests: tuple[Test, ...]
    notes: tuple[str, ...] = ()


def overall(tests: Sequence[Test]) -> Decision:
    """Return the answer of several tests: one proven failure fails, and all must pass to pass."""
    answers = {test.answer for test in tests}
    if Decision.FAIL in answers:
        return Decision.FAIL
    return Decision.PASS if answers == {Decision.PASS} else Decision.UNCLEAR


def regression_tests(
    difference: Figures,
    languages: Sequence[str],
    *,
    max_regression: float,
    confidence_level: float,
    sides: tuple[Floats, Floats],
) -> list[Test]:
    """Test differences (candidate - stored run) against a largest allowed regression.

    Args:
        difference: K paired differences.
        languages: (K,) tags or macro.
        max_regression: as a fraction, at least 0.
        confidence_level: of the two-sided interval.
        sides: (K,) figures of the candidate and of the stored run.
    """
    low, high = student_interval(difference, confidence_level=confidence_level)
    above = difference.values + max_regression
    errors = difference.standard_errors
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where((errors == 0) & (above >= 0), np.inf, above / errors)
    degrees = np.maximum(difference.clusters - 1, 1)
    return _tests(
        "regression", languages, difference.values, (low, high), np.full(len(t), -max_regression),
        (stdtr(degrees, -t), stdtr(degrees, t)), difference.pairs, confidence_level, sides,
    )  # fmt: skip


def unpaired_tests(rows: Sequence[Estimate], stored: Sequence[Estimate], *, max_regression: float) -> list[Test]:
    """Test a regression from two results.json alone, where the scores of a run are not at hand.

    The runs' errors count as independent. They share prompts and baseline, so that the true error of the difference is
    smaller: this test is valid, but slower to tell than the paired one.
    """
    before = {row.language: row for row in stored}
    both = [(row, before[row.language]) for row in rows if row.language in before]
    value = np.array([[row.value for row in pair] for pair in both], dtype=np.float64)
    error = np.array([[row.standard_error for row in pair] for pair in both], dtype=np.float64)
    level = rows[0].confidence_level
    difference, spread = value[:, 0] - value[:, 1], np.sqrt(np.square(error).sum(axis=1))
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where((spread == 0) & (difference >= -max_regression), np.inf, (difference + max_regression) / spread)
    half = normal_quantile(level) * spread
    return _tests(
        "regression", [row.language for row, _ in both], difference, (difference - half, difference + half),
        np.full(len(both), -max_regression), (ndtr(-z), ndtr(z)), np.array([min(a.n, b.n) for a, b in both]),
        level, (value[:, 0], value[:, 1]),
    )  # fmt: skip


def threshold_tests(rows: Sequence[Estimate], *, min_win_rate: float, floored: bool = True) -> list[Test]:
    """Test published win rates against a smallest allowed one, with the test that inverts to their interval.

    Args:
        rows: estimates of results.json, one a language, with a value.
        min_win_rate: as a fraction.
        floored: whether effective n is at least the number of prompts, as for plain win rates.
    """
    columns = np.array(
        [(row.value, row.low, row.high, row.standard_error, row.n, row.clusters) for row in rows], dtype=np.float64
    )
    value, low, high, errors, pairs, clusters = columns.T
    n = counted_n(value, np.nan_to_num(errors), clusters=clusters, pairs=pairs, floored=floored)
    z = score_statistic(value, n, against=min_win_rate)
    z = np.where(np.isnan(low), np.nan, np.where(np.isnan(z), 0, z))
    level = rows[0].confidence_level
    return _tests(
        "win rate", [row.language for row in rows], value, (low, high),
        np.full(len(rows), min_win_rate), (ndtr(-z), ndtr(z)), pairs, level, None,
    )  # fmt: skip


def threshold_rows(results: Results, *, metric: str, judge: str, per_language: bool) -> list[Estimate]:
    """Return the estimates that a threshold is held against: macro, or every language.

    Raises:
        RunError: there is nothing to compare.
    """
    rows = [
        row
        for row in results.estimates
        if row.metric == metric
        and row.judge == judge
        and row.slice is None
        and (row.language not in {MACRO, MICRO} if per_language else row.language == MACRO)
    ]
    if all(math.isnan(row.value) for row in rows):
        why = next((row.method for row in rows if row.method), "no such figure")
        raise RunError(Problem(message=f"nothing to compare: {metric} by {judge} is not there ({why})"))
    return rows


def _tests(  # noqa: PLR0913, PLR0917
    question: str,
    languages: Sequence[str],
    values: Floats,
    interval: tuple[Floats, Floats],
    bounds: Floats,
    p_values: tuple[Floats, Floats],
    n: Floats,
    confidence_level: float,
    sides: tuple[Floats, Floats] | None,
) -> list[Test]:
    alpha = (1 - confidence_level) / 2
    p_pass, p_fail = p_values[0], holm(np.asarray(p_values[1], dtype=np.float64))
    found = []
    for index, language in enumerate(languages):
        passed, failed = p_pass[index] <= alpha, p_fail[index] <= alpha
        answer = Decision.FAIL if failed else Decision.PASS if passed else Decision.UNCLEAR
        found.append(
            Test(
                question=question,
                language=language,
                value=float(values[index]),
                low=float(interval[0][index]),
                high=float(interval[1][index]),
                bound=float(bounds[index]),
                p_pass=float(p_pass[index]),
                p_fail=float(p_fail[index]),
                answer=answer,
                n=int(n[index]),
                first=float(sides[0][index]) if sides else float("nan"),
                second=float(sides[1][index]) if sides else float("nan"),
            )
        )
    return found
