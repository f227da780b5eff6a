"""Style of a pair of texts as numbers: relative length, and the density of headings, lists and bold text."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from evalkit.statistics.figures import Floats

FEATURES = ("length", "headings", "lists", "bold")
_HEADING = re.compile(r"\n#{1,6} ")
_LIST = re.compile(r"\n[ \t]*(?:[-*+•]|\d{1,3}[.)]) ")


def markdown(text: str) -> tuple[int, int, int]:
    """Return how many headings, list items and bold spans a text has."""
    lines = f"\n{text}"
    return len(_HEADING.findall(lines)), len(_LIST.findall(lines)), text.count("**") // 2


def style_differences(candidate: Sequence[str], baseline: Sequence[str]) -> Floats:
    """Return (n, 4) differences of style: of length relative to the sum, of Markdown per thousand characters."""
    rows = []
    for one, other in zip(candidate, baseline, strict=True):
        a, b = len(one), len(other)
        densities = [
            1000 * (mine / max(a, 1) - theirs / max(b, 1))
            for mine, theirs in zip(markdown(one), markdown(other), strict=True)
        ]
        rows.append([(a - b) / max(a + b, 1), *densities])
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(FEATURES))
