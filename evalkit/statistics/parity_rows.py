"""How even a candidate is over languages, as published rows, and how far languages move together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evalkit.records import MACRO, Estimate
from evalkit.settings import StatisticsSettings
from evalkit.statistics.figures import Figures
from evalkit.statistics.parity import parity


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
