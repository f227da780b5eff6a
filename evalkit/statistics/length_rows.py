"""What length has to do with winning: the win rate by length ratio, and whether lengths overlap at all."""

from __future__ import annotations

from typing import Any

import numpy as np

from evalkit.settings import StatisticsSettings
from evalkit.statistics.figures import ratios
from evalkit.statistics.intervals import wilson_interval
from evalkit.statistics.length_languages import LengthControlled
from evalkit.statistics.metrics import log_length_ratio
from evalkit.statistics.table import Judged, Pairs

BINS = 10


def length_bins(
    pairs: Pairs, judged: Judged, settings: StatisticsSettings, *, bins: int = BINS
) -> list[dict[str, Any]]:
    """Return the win rate in `bins` groups of pairs of equal size, from the relatively shortest answers on."""
    logs = log_length_ratio(pairs)
    known = np.flatnonzero(np.isfinite(logs + judged.score))
    if len(known) < 2 * bins:
        return []
    edges = np.quantile(logs[known], np.linspace(0, 1, bins + 1))
    bin_of = np.clip(np.searchsorted(edges, logs[known], side="right") - 1, 0, bins - 1)
    cell = pairs.cluster[known] * bins + bin_of
    shape = (pairs.clusters, bins)
    size = shape[0] * bins
    totals = np.bincount(cell, judged.score[known], size).astype(np.float64).reshape(shape)
    counts = np.bincount(cell, minlength=size).astype(np.float64).reshape(shape)
    figures = ratios([(totals, counts)], np.empty((pairs.clusters, 0)))[0]
    low, high = wilson_interval(figures, confidence_level=settings.confidence_level)
    return [
        {
            "judge": judged.judge,
            "bin": index,
            "ratio_low": float(np.exp(edges[index])),
            "ratio_high": float(np.exp(edges[index + 1])),
            "ratio": float(np.exp(logs[known][bin_of == index].mean())),
            "win_rate": float(figures.values[index]),
            "low": float(low[index]),
            "high": float(high[index]),
            "n": int(figures.pairs[index]),
        }
        for index in range(bins)
        if figures.pairs[index] > 0
    ]


def overlap_rows(pairs: Pairs, judge: str, controlled: LengthControlled) -> list[dict[str, Any]]:
    """Return, by language, on which share of the prompts the candidate is longer and what follows from it.

    `pull` is what length does to the judge: log odds per unit of tanh(standardised excess length), with its standard
    error; positive where the judge likes length.
    """
    return [
        {
            "judge": judge,
            "language": language,
            "share_longer": fit.share_longer,
            "status": fit.overlap.value,
            "pull": -fit.slope,
            "pull_error": fit.slope_error,
        }
        for language, fit in zip(pairs.languages, controlled.fits, strict=True)
    ]
