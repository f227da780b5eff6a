"""Differences in words, and which characters XML cannot hold."""

from __future__ import annotations

import math

from evalkit.report.wording import UNDEFINED

CONTROL = {code: None for code in range(32) if chr(code) not in "\t\n\r"} | {0xFFFE: None, 0xFFFF: None}
"""For `str.translate`: leaves out what XML 1.0 cannot hold."""


def signed(difference: float) -> str:
    """Write a difference of rates in points: 0.031 → "+3.1", -0.02 → "−2.0"."""
    if math.isnan(difference):
        return UNDEFINED
    text = f"{100 * difference:+.1f}"
    return "0.0" if float(text) == 0 else text.replace("-", "−")


def p_words(value: float) -> str:
    """Write a p-value: "p = 0.021", "p < 0.001"."""
    return "p n/a" if math.isnan(value) else "p < 0.001" if value < 0.001 else f"p = {value:.3f}"  # noqa: PLR2004
