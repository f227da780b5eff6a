"""How even a candidate is over languages: the worst, the best, the gap, and the spread that is not chance.

The smallest of many noisy figures is too small: with no true differences at all, the plain worst of 23 languages is 3
points low and the plain gap 7 points. Hence simultaneous bands, and a spread with chance taken out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import fdtrc

from evalkit.records import MACRO, Estimate
from evalkit.settings import StatisticsSettings
from evalkit.statistics.claims import simultaneous_bands
from evalkit.statistics.figures import Figures, Floats, Weights, ratios


@dataclass(frozen=True, slots=True, kw_only=True)
class Parity:
    """What can be said of the differences between languages."""

    worst: int
    """Index of the language with the lowest figure; -1 where there are fewer than two."""
    best: int
    worst_value: float
    worst_low: float
    """Bounds of the lowest of the true figures, whichever language has it."""
    worst_high: float
    best_value: float
    best_low: float
    best_high: float
    gap: float
    """Best less worst, as they look; too large by chance."""
    gap_low: float
    """What the bands of all languages together cannot explain away."""
    gap_high: float
    spread: float
    """Standard deviation of the true figures between languages (tau), chance taken out."""
    p_value: float
    """Of no differences at all (Hotelling); NaN where languages are more than clusters."""


def parity(figures: Figures, *, confidence_level: float = 0.95) -> Parity:
    """Return how L figures, one a language, differ; undefined figures are left out."""
    known = np.flatnonzero(np.isfinite(figures.values) & np.isfinite(figures.standard_errors))
    if len(known) < 2:  # noqa: PLR2004
        nan = math.nan
        return Parity(
            worst=-1,
            best=-1,
            **dict.fromkeys(("worst_value", "worst_low", "worst_high", "best_value", "best_low", "best_high"), nan),
            **dict.fromkeys(("gap", "gap_low", "gap_high", "spread", "p_value"), nan),
        )
    own = figures.select(known)
    low, high = simultaneous_bands(own, confidence_level=confidence_level)
    low, high = (np.where(np.isfinite(band), band, own.values) for band in (low, high))
    worst, best = int(own.values.argmin()), int(own.values.argmax())
    return Parity(
        worst=int(known[worst]),
        best=int(known[best]),
        worst_value=float(own.values[worst]),
        worst_low=float(low.min()),
        worst_high=float(high.min()),
        best_value=float(own.values[best]),
        best_low=float(low.max()),
        best_high=float(high.max()),
        gap=float(own.values[best] - own.values[worst]),
        gap_low=max(float(low.max() - high.min()), 0.0),
        gap_high=float(high.max() - low.min()),
        spread=math.sqrt(max(between_variance(own), 0.0)),
        p_value=equality_test(own),
    )


def between_variance(figures: Figures) -> float:
    """Return tau squared: the variance of the figures between languages less what chance adds; may be negative."""
    L = len(figures.values)
    covariance = figures.covariance
    centred = figures.values - figures.values.mean()
    chance = np.trace(covariance) - covariance.sum() / L
    return float((centred @ centred - chance) / (L - 1))


def equality_test(figures: Figures) -> float:
    """Return the p-value of Hotelling's test that all figures are equal; NaN where clusters are too few."""
    L, n = len(figures.values), len(figures.influences)
    free = n - L + 1
    differences = np.concatenate([np.eye(L - 1), -np.ones((L - 1, 1))], axis=1)
    covariance = differences @ figures.covariance @ differences.T
    if free < 1 or np.linalg.matrix_rank(covariance) < L - 1:
        return math.nan
    gaps = differences @ figures.values
    t_squared = float(gaps @ np.linalg.solve(covariance, gaps))
    return float(fdtrc(L - 1, free, t_squared * free / ((n - 1) * (L - 1))))


def effect(first: Floats, second: Floats, weights: Weights) -> Figures:
    """Return the mean of one set of prompts less the mean of another, prompts in both counted as pairs.

    MultiLoKo (arXiv:2504.10356): the mother-tongue effect is local prompts in their language less the same in English;
    the locality effect is local prompts less prompts translated from English.

    Args:
        first: (C,) score by cluster, NaN where a cluster has none.
        second: (C,) the same of the other set.
        weights: (C, B) prompt weights.
    """
    scores = np.stack([first, second], axis=1)
    present = np.isfinite(scores)
    both = ratios([(np.where(present, scores, 0.0), present.astype(np.float64))], weights)[0]
    return both.contrast(np.array([1.0, -1.0]))


def parity_rows(
    win_rates: Figures,
    correlation: float,
    *,
    candidate: str,
    judge: str,
    languages: Sequence[str],
    settings: StatisticsSettings,
) -> list[Estimate]:
    """Return the worst and best language's win rate, their gap, the spread and the cross-language correlation.

    Args:
        win_rates: one figure a language.
        correlation: mean correlation of a prompt's score between two languages.
        candidate: display name.
        judge: display name.
        languages: (L,) tags.
        settings: level of the bounds.
    """
    enough = win_rates.clusters >= max(settings.min_prompts, 2)
    known = np.flatnonzero(np.isfinite(win_rates.values) & enough)
    found = parity(win_rates.select(known), confidence_level=settings.confidence_level)
    if found.worst < 0:
        return []
    worst, best = languages[known[found.worst]], languages[known[found.best]]
    differ = "" if found.p_value < 1 - settings.confidence_level else "; no detected differences between languages"
    rows = (
        (
            "worst_language_win_rate",
            found.worst_value,
            found.worst_low,
            found.worst_high,
            f"simultaneous band; {worst}",
        ),
        ("best_language_win_rate", found.best_value, found.best_low, found.best_high, f"simultaneous band; {best}"),
        ("language_gap", found.gap, found.gap_low, found.gap_high, f"simultaneous band; {best} - {worst}{differ}"),
        ("language_spread", found.spread, np.nan, np.nan, f"tau, chance taken out; p = {found.p_value:.3g} of none"),
        ("language_correlation", correlation, np.nan, np.nan, "mean over pairs of languages"),
    )
    return [
        Estimate(
            candidate=candidate,
            judge=judge,
            language=MACRO,
            metric=metric,
            value=value,
            low=min(max(float(low), 0.0), 1.0) if np.isfinite(low) else float("nan"),
            high=min(max(float(high), 0.0), 1.0) if np.isfinite(high) else float("nan"),
            n=int(win_rates.pairs[known].sum()),
            clusters=int(np.count_nonzero(win_rates.shares[:, known].any(axis=1))),
            confidence_level=settings.confidence_level,
            method=method,
        )
        for metric, value, low, high, method in rows
    ]
