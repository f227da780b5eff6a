"""How long a text is, and how much longer than another."""

from __future__ import annotations

import math
import unicodedata


def characters(text: str) -> int:
    """Return the number of code points after NFC, the unit of length everywhere in evalkit."""
    return len(text) if text.isascii() else len(unicodedata.normalize("NFC", text))


def graphemes(text: str) -> int:
    r"""Return the number of characters as readers see them (extended grapheme clusters, UAX 29)."""
    import regex

    return sum(1 for _ in regex.finditer(r"\X", text))


def log_ratio(candidate: int, baseline: int) -> float:
    """Return log((candidate + 1) / (baseline + 1)) of two lengths; zero where they are equal."""
    return math.log((candidate + 1) / (baseline + 1))
