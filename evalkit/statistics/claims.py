"""In which languages the candidate is better or worse than the baseline, with the price of asking many times."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from evalkit.settings import StatisticsSettings
from evalkit.statistics.figures import Figures
from evalkit.statistics.intervals import effective_n, wilson_with
from evalkit.statistics.multiplicity import benjamini_hochberg, holm, max_t, score_test


def claim_rows(
    figures: Figures,
    judge: str,
    languages: Sequence[str],
    settings: StatisticsSettings,
    *,
    metric: str = "win_rate",
    floored: bool = True,
) -> list[dict[str, Any]]:
    """Return a claim a language and metric: `better`, `worse` or `unclear` against one half.

    The p-value inverts the Wilson interval; Holm's adjustment decides, Benjamini and Hochberg's is for screening. The
    bands hold all languages at once: Wilson at the max-t critical value.
    """
    values = figures.values
    testable = np.isfinite(values) & (figures.clusters >= max(settings.min_prompts, 2))
    clusters = np.nan_to_num(figures.effective_clusters)
    floor = clusters if floored else np.where(figures.standard_errors > 0, 0, clusters)
    n = effective_n(values, figures.standard_errors, floor=floor, cap=20 * figures.effective_pairs)
    p_values = np.where(testable, score_test(values, n), np.nan)
    adjusted, screened = holm(p_values), benjamini_hochberg(p_values)
    alpha = 1 - settings.confidence_level
    critical = max_t(figures.select(np.flatnonzero(testable)), confidence_level=settings.confidence_level)
    low, high = wilson_with(figures, z=critical, floored=floored)
    rows = []
    for index, language in enumerate(languages):
        decided = adjusted[index] < alpha
        claim = ("better" if values[index] > 0.5 else "worse") if decided else "unclear"  # noqa: PLR2004
        rows.append(
            {
                "judge": judge,
                "language": language,
                "metric": metric,
                "claim": claim,
                "p_value": float(p_values[index]),
                "p_holm": float(adjusted[index]),
                "p_bh": float(screened[index]),
                "band_low": float(low[index]) if testable[index] else float("nan"),
                "band_high": float(high[index]) if testable[index] else float("nan"),
            }
        )
    return rows
