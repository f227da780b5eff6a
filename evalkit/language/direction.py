"""The direction a paragraph is written in, by the majority of its letters."""

from __future__ import annotations

import unicodedata

from evalkit.language.tags import Direction


def paragraph_direction(text: str, *, default: Direction = "ltr") -> Direction:
    """Return the direction of most letters; `default` where there is none or both are equal.

    HTML's `dir="auto"` looks at the first strong character only, so that an Arabic sentence that begins with a brand's
    name runs the wrong way.
    """
    rtl = ltr = 0
    for character in text:
        kind = unicodedata.bidirectional(character)
        if kind == "L":
            ltr += 1
        elif kind in {"R", "AL"}:
            rtl += 1
    if rtl == ltr:
        return default
    return "rtl" if rtl > ltr else "ltr"
