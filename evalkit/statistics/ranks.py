"""Ranks with their uncertainty: which places of a leaderboard the data allow a candidate to have.

Simultaneous over all paired differences (Mogstad, Romano, Shaikh and Wilhelm 2024): with the stated confidence, every
candidate's true rank lies in its set. Whether two intervals overlap does not tell.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evalkit.statistics.figures import Figures, Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class RankSets:
    """The ranks of K candidates, 1 the best."""

    low: NDArray[np.int64]
    """(K,) best rank that cannot be excluded."""
    high: NDArray[np.int64]
    """(K,) worst rank that cannot be excluded."""
    critical: float
    """Standard errors by which two candidates must differ; NaN where nothing can be told."""


def rank_sets(figures: Figures, *, confidence_level: float = 0.95) -> RankSets:
    """Return the simultaneous rank sets of K figures on shared prompts, higher is better.

    A candidate without a figure may have any rank. Two candidates whose difference never varies are told apart by it.
    """
    values = figures.values
    K = len(values)
    error = _errors_of_differences(figures)
    gap = values[:, None] - values[None, :]
    critical = _critical(figures, gap, error, confidence_level)
    if np.isnan(critical):
        return RankSets(low=np.ones(K, dtype=np.int64), high=np.full(K, K), critical=critical)
    beaten = (gap - critical * error > 0).sum(axis=0)
    beats = (gap + critical * error < 0).sum(axis=0)
    return RankSets(low=1 + beaten, high=K - beats, critical=critical)


def _errors_of_differences(figures: Figures) -> Floats:
    """Return (K, K) standard errors of the paired differences."""
    covariance = figures.covariance
    own = np.diag(covariance)
    squares = own[:, None] + own[None, :] - 2 * covariance
    return np.asarray(np.sqrt(np.where(squares > 1e-12 * (own[:, None] + own[None, :]), squares, 0)))


def _critical(figures: Figures, gap: Floats, error: Floats, confidence_level: float) -> float:
    """Return the quantile of the largest studentised difference over the resamples."""
    resamples = figures.resamples
    largest = np.zeros(resamples.shape[1])
    tested = False
    for first in range(len(gap) - 1):
        others = first + 1 + np.flatnonzero(error[first, first + 1 :] > 0)
        others = others[np.isfinite(gap[first, others])]
        if len(others) and len(largest):
            moved = np.abs(resamples[first] - resamples[others] - gap[first, others, None])
            largest = np.fmax(largest, np.fmax.reduce(moved / error[first, others, None], axis=0))
            tested = True
    return float(np.quantile(largest, confidence_level)) if tested else float("nan")
