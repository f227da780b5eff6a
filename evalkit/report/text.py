"""Text that others wrote, made safe to show: named boxes for what cannot be seen, no lone surrogates, inert JSON."""

from __future__ import annotations

import json
import re
from typing import Any

from markupsafe import Markup, escape

# Joiners (U+200C, U+200D) are left alone: Persian, Indic scripts and emoji need them.
_HIDDEN = re.compile(
    "[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028\u2029\u202a-\u202e"
    "\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f\ud800-\udfff]"
)
_NAMES = {
    0x00: "NUL", 0x08: "BS", 0x1B: "ESC", 0x7F: "DEL", 0x61C: "ALM", 0x200B: "ZWSP", 0x200E: "LRM", 0x200F: "RLM",
    0x2028: "LS", 0x2029: "PS", 0x202A: "LRE", 0x202B: "RLE", 0x202C: "PDF", 0x202D: "LRO", 0x202E: "RLO",
    0x2060: "WJ", 0x2066: "LRI", 0x2067: "RLI", 0x2068: "FSI", 0x2069: "PDI", 0xFEFF: "BOM",
}  # fmt: skip
_LONE_SURROGATES = re.compile("[\ud800-\udfff]")
_UNSAFE_IN_SCRIPT = {ord(mark): f"\\u{ord(mark):04x}" for mark in "&<>\u2028\u2029"}


def whole(text: str) -> str:
    """Return text that UTF-8 can carry: lone surrogates become U+FFFD."""
    return _LONE_SURROGATES.sub("\ufffd", text)


def visible(text: str) -> Markup:
    """Return escaped HTML in which control, bidi and zero-width characters are boxes with their names."""
    parts: list[Markup] = []
    start = 0
    for found in _HIDDEN.finditer(text):
        code = ord(found.group())
        name = f"U+{code:04X}"
        parts.append(escape(text[start : found.start()]))
        parts.append(Markup('<span class="ctl" title="{}">{}</span>').format(name, _NAMES.get(code, name)))
        start = found.end()
    parts.append(escape(text[start:]))
    return Markup("").join(parts)


def first_line(text: str, length: int) -> str:
    """Return the beginning of the text on one line, at most `length` code points."""
    # A prompt may be megabytes of one word: do not split more than can be shown.
    line = " ".join(text[: 8 * length + 8].split())
    return line if len(line) <= length else f"{line[:length].rstrip()}…"


def script_json(value: Any) -> Markup:
    """Return JSON that may stand inside a script element: no `<`, `>`, `&` or JavaScript line ends in it."""
    text = whole(json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False))
    return Markup(text.translate(_UNSAFE_IN_SCRIPT))  # noqa: S704  nothing is left that markup could begin with
