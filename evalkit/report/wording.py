"""How figures are written, everywhere the same: locale-free digits, points with one decimal, "n/a" for undefined."""

from __future__ import annotations

import math
from collections.abc import Sequence

UNDEFINED = "n/a"
_CENT = 0.01
CLAIM_WORDS = {"better": "better", "worse": "worse", "unclear": "undecided"}
CLAIM_MARKS = {"better": "▲", "worse": "▼", "unclear": "–"}
"""Never colour alone: each claim has a mark and a word."""


def points(rate: float) -> str:
    """Write a rate as percentage points without the sign: 0.4931 → "49.3"."""
    return UNDEFINED if math.isnan(rate) else f"{100 * rate:.1f}"


def percent(rate: float) -> str:
    """Write a rate as a percentage: 0.4931 → "49.3%"."""
    return UNDEFINED if math.isnan(rate) else f"{100 * rate:.1f}%"


def interval(low: float, high: float) -> str:
    """Write an interval of rates in points: "45.6 to 53.0"."""
    return UNDEFINED if math.isnan(low) or math.isnan(high) else f"{100 * low:.1f} to {100 * high:.1f}"


def ratio(value: float) -> str:
    """Write a ratio: 0.83 → "×0.83"."""
    return UNDEFINED if math.isnan(value) else f"×{value:.2f}"


def decimal(value: float) -> str:
    """Write a coefficient such as kappa with two decimals."""
    return UNDEFINED if math.isnan(value) else f"{value:.2f}"


def count(value: float) -> str:
    """Write a count with thousands separated: 10506 → "10,506"."""
    return UNDEFINED if math.isnan(value) else f"{int(value):,}"


def money(dollars: float | None) -> str:
    """Write US dollars; None (no price known) is "n/a"."""
    if dollars is None or math.isnan(dollars):
        return UNDEFINED
    return f"${dollars:.4f}" if 0 < dollars < _CENT else f"${dollars:,.2f}"


def plural(number: int, noun: str) -> str:
    """Write a count with its noun: "1 prompt", "805 prompts"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def listing(names: Sequence[str], *, limit: int = 6) -> str:
    """Write names with commas, and how many more where they exceed `limit`."""
    shown = ", ".join(names[:limit])
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit} more"
