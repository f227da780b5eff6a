"""Agreement between the judges of a run, by language and pooled, with intervals over prompts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evalkit.records import MICRO
from evalkit.settings import StatisticsSettings
from evalkit.statistics.agreement import alpha, coincidences, kappa
from evalkit.statistics.figures import Floats, Weights
from evalkit.statistics.resampling import percentile, resampled_sums
from evalkit.statistics.scoring import winner
from evalkit.statistics.table import Judged, Pairs

MIN_PAIRS = 50
"""Below this many pairs kappa says more about chance than about the judges."""
_VALUES = np.array([0.0, 0.5, 1.0])


def agreement_rows(
    pairs: Pairs, judged: Sequence[Judged], weights: Weights, settings: StatisticsSettings
) -> dict[str, list[dict[str, Any]]]:
    """Return `pairs` (kappa of every two judges) and `alpha` (all judges together); both empty for one judge."""
    if len(judged) < 2:  # noqa: PLR2004
        return {"pairs": [], "alpha": []}
    winners = {each.judge: winner(each.score) for each in judged}
    rows = [(language, np.flatnonzero(pairs.language == index)) for index, language in enumerate(pairs.languages)]
    rows.append((MICRO, np.arange(len(pairs.keys))))
    level = settings.confidence_level
    return {
        "pairs": [
            {"judge_a": a, "judge_b": b, "language": language}
            | _kappa(winners[a][index], winners[b][index], pairs.cluster[index], weights, level)
            for a, b in combinations(sorted(winners), 2)
            for language, index in rows
        ],
        "alpha": [
            {"language": language}
            | _alpha(np.stack([winners[name][index] for name in winners]), pairs.cluster[index], weights, level)
            for language, index in rows
        ],
    }


def _kappa(a: Floats, b: Floats, cluster: NDArray[np.int64], weights: Weights, level: float) -> dict[str, Any]:
    both = np.isfinite(a + b)
    n = int(both.sum())
    cell = (2 * a[both]).astype(int) * 3 + (2 * b[both]).astype(int)
    sums = _by_cluster(np.eye(9)[cell], cluster[both], len(weights))
    table = sums.sum(axis=0).reshape(3, 3)
    row: dict[str, Any] = dict.fromkeys(("raw", "kappa", "kappa_low", "kappa_high", "kappa_quadratic"), float("nan"))
    row["n"] = n
    if n:
        row["raw"] = float(np.trace(table) / n)
    if n >= MIN_PAIRS:
        resampled = kappa(_resampled(sums, weights))
        low, high = percentile(resampled[None], confidence_level=level)
        row |= {
            "kappa": float(kappa(table)),
            "kappa_low": float(low[0]),
            "kappa_high": float(high[0]),
            "kappa_quadratic": float(kappa(table, "quadratic")),
        }
    return row


def _alpha(ratings: Floats, cluster: NDArray[np.int64], weights: Weights, level: float) -> dict[str, Any]:
    n = int((np.isfinite(ratings).sum(axis=0) > 1).sum())
    if n < MIN_PAIRS:
        return {"n": n, "alpha": float("nan"), "low": float("nan"), "high": float("nan")}
    sums = _by_cluster(coincidences(ratings, _VALUES).reshape(len(cluster), 9), cluster, len(weights))
    resampled = alpha(_resampled(sums, weights), _VALUES)
    low, high = percentile(resampled[None], confidence_level=level)
    return {
        "n": n,
        "alpha": float(alpha(sums.sum(axis=0).reshape(3, 3), _VALUES)),
        "low": float(low[0]),
        "high": float(high[0]),
    }


def _resampled(sums: Floats, weights: Weights) -> Floats:
    """Return (B, 3, 3) tables from (C, 9) sums."""
    return np.moveaxis(resampled_sums(sums[:, :, None], weights).reshape(3, 3, -1), -1, 0)


def _by_cluster(values: Floats, cluster: NDArray[np.int64], clusters: int) -> Floats:
    """Return (C, K) sums of (n, K) values."""
    columns = [np.bincount(cluster, column, clusters) for column in values.T]
    return np.stack(columns, axis=1)
