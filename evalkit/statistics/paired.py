"""Two candidates against the same baseline on the same prompts: the paired difference.

Answers to one prompt rise and fall together, so the difference is known better than either rate (by a fifth, at the
median of AlpacaEval's models). Whether two intervals overlap is no test of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import stdtr

from evalkit.records import MACRO, MICRO, RunRecords
from evalkit.settings import LengthControl, StatisticsSettings
from evalkit.statistics.claims import holm
from evalkit.statistics.figures import Figures, Floats, Weights, bca, divide, join, prompt_weights, ratios
from evalkit.statistics.intervals import student_interval
from evalkit.statistics.languages import macro_weights
from evalkit.statistics.length import control_lengths
from evalkit.statistics.pairs import PairTable, pairs_of
from evalkit.statistics.scores import JudgeScores, scores_of

ROUNDING = 1e-12
"""Differences below this are none: equal sums added in another order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A candidate's figure less another's. Fractions; NaN where undefined."""

    judge: str
    language: str
    """A tag, macro or micro."""
    metric: str
    """win_rate or length_controlled_win_rate."""
    value: float
    low: float
    high: float
    p_value: float
    """Two-sided, of no difference."""
    p_holm: float
    """Adjusted over the languages of the judge and metric; macro and micro keep their own."""
    standard_error: float
    bootstrap_low: float
    bootstrap_high: float
    first: float
    """The first candidate's figure on the shared pairs."""
    second: float
    correlation: float
    """Of the two candidates' influences: how much pairing helps."""
    n: int
    """Shared pairs."""
    clusters: int


def p_values(figures: Figures) -> Floats:
    """Return (K,) two-sided p-values of the t test against 0; 1 where the value is 0 but for rounding."""
    errors, values = figures.standard_errors, np.abs(figures.values)
    values = np.where(values < ROUNDING, 0, values)
    t = divide(values, np.where(values > 0, errors, 0), otherwise=np.where(values > 0, np.inf, 0))
    return np.where(np.isfinite(errors), 2 * stdtr(np.maximum(figures.clusters - 1, 1), -t), np.nan)


def compare(first: RunRecords, second: RunRecords, settings: StatisticsSettings) -> tuple[Difference, ...]:
    """Return the paired differences of two runs, for every judge both have, on the prompts both have.

    Win rates are compared on pairs that both runs scored; figures at equal length on each run's own.
    """
    shared = {prompt.key for prompt in first.prompts} & {prompt.key for prompt in second.prompts}
    sides = [_side(run, shared) for run in (first, second)]
    weights = prompt_weights(
        sides[0][0].clusters, n_resamples=settings.n_resamples, rng=np.random.default_rng(settings.seed)
    )
    found: list[Difference] = []
    judged = [{each.judge: each for each in scores_of(pairs, run.outcomes, settings)} for pairs, run in sides]
    for judge in sorted(judged[0].keys() & judged[1].keys()):
        one, other = judged[0][judge], judged[1][judge]
        found += _means(sides[0][0], one, other, weights, settings)
        if settings.length_control is not LengthControl.NONE and shared:
            figures = [
                control_lengths(pairs, each, method=settings.length_control, weights=weights).figures
                for (pairs, _), each in zip(sides, (one, other), strict=True)
            ]
            found += _contrasts(figures[0], figures[1], sides[0][0].languages, judge, settings)
    return tuple(found)


def _side(run: RunRecords, shared: set[tuple[str, str]]) -> tuple[PairTable, RunRecords]:
    prompts = [prompt for prompt in run.prompts if prompt.key in shared]
    pairs = pairs_of(prompts, run.candidate_answers, run.baseline_answers, run.candidate_checks, run.baseline_checks)
    return pairs, run


def _means(
    pairs: PairTable, one: JudgeScores, other: JudgeScores, weights: Weights, settings: StatisticsSettings
) -> list[Difference]:
    """Win rates, on the pairs that both scored."""
    both = np.isfinite(one.score + other.score)
    sums = [pairs.sums(np.where(both, each.score, np.nan)) for each in (one, other)]
    both_sides = ratios(sums, weights, pooled=True)
    L = len(pairs.languages)
    by_language = [each.select(np.arange(L)) for each in both_sides]
    pooled = [each.select([L]) for each in both_sides]
    rows = _contrasts(by_language[0], by_language[1], pairs.languages, one.judge, settings, metric="win_rate")
    return rows + _rows(join(*pooled), np.array([[1.0, 0, 1], [-1.0, 1, 0]]), [MICRO], one.judge, "win_rate", settings)


def _contrasts(
    one: Figures,
    other: Figures,
    languages: Sequence[str],
    judge: str,
    settings: StatisticsSettings,
    *,
    metric: str = "length_controlled_win_rate",
) -> list[Difference]:
    """Differences by language and of the macro means, over the languages that have both figures."""
    L = len(languages)
    both = join(one, other)
    shared = replace(one, values=np.where(np.isfinite(other.values), one.values, np.nan))
    macro = macro_weights(shared, languages, settings.weights)
    columns = np.concatenate([np.eye(L), macro[:, None]], axis=1)
    nothing = np.zeros_like(columns)
    weights = np.block([[columns, nothing, columns], [-columns, columns, nothing]])
    return _rows(both, weights, [*languages, MACRO], judge, metric, settings)


def _rows(
    both: Figures, weights: Floats, languages: Sequence[str], judge: str, metric: str, settings: StatisticsSettings
) -> list[Difference]:
    """Publish M differences; `weights` holds M columns of differences, M of the second figure, M of the first."""
    size = len(languages)
    difference, second, first = (both.contrast(weights[:, start : start + size]) for start in (0, size, 2 * size))
    low, high = student_interval(difference, confidence_level=settings.confidence_level)
    boot = bca(
        difference.values, difference.influences, difference.resamples, confidence_level=settings.confidence_level
    )
    p = p_values(difference)
    tags = np.array([language not in {MACRO, MICRO} for language in languages])
    adjusted = np.where(tags, holm(np.where(tags, p, np.nan)), p)
    errors = difference.standard_errors
    product = (first.influences * second.influences).sum(axis=0)
    norm = np.sqrt(np.square(first.influences).sum(axis=0) * np.square(second.influences).sum(axis=0))
    correlation = divide(product, norm)
    taking_part = np.count_nonzero((first.shares > 0) | (second.shares > 0), axis=0)
    return [
        Difference(
            judge=judge,
            language=language,
            metric=metric,
            value=float(difference.values[index]),
            low=float(low[index]),
            high=float(high[index]),
            p_value=float(p[index]),
            p_holm=float(adjusted[index]),
            standard_error=float(errors[index]),
            bootstrap_low=float(boot[0][index]),
            bootstrap_high=float(boot[1][index]),
            first=float(first.values[index]),
            second=float(second.values[index]),
            correlation=float(correlation[index]),
            n=int(min(first.pairs[index], second.pairs[index])),
            clusters=int(taking_part[index]),
        )
        for index, language in enumerate(languages)
    ]
