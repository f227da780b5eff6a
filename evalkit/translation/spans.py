"""Spans of a prompt that a translation must keep byte for byte: code, formulas, JSON, addresses, placeholders, names.

Names are those a machine reads: identifiers, files, handles. Names of people and places are written as the target
language writes them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class SpanKind(StrEnum):
    """What a kept span is."""

    CODE = "code"
    """A fenced block."""
    INLINE_CODE = "inline code"
    FORMULA = "formula"
    """TeX between dollars, \\( \\) or \\[ \\]."""
    JSON = "JSON"
    """An object or array with quotes in it."""
    ADDRESS = "address"
    """A URL or an e-mail address."""
    PLACEHOLDER = "placeholder"
    """{name}, {{name}}, ${name}, %s, %(name)s, <NAME>, [NAME]."""
    TAG = "tag"
    """An HTML or XML tag."""
    NAME = "name"
    """snake_case, camelCase, dotted.names(), files, @handles, CONSTANTS_OF_CODE."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of text that stays as it is."""

    kind: SpanKind
    start: int
    end: int
    text: str


PATTERNS: tuple[tuple[SpanKind, re.Pattern[str]], ...] = (
    (SpanKind.CODE, re.compile(r"^(?P<fence>`{3,}|~{3,}).*?^(?P=fence)[ \t]*$", re.DOTALL | re.MULTILINE)),
    (SpanKind.CODE, re.compile(r"^(?:`{3,}|~{3,}).*\Z", re.DOTALL | re.MULTILINE)),
    (SpanKind.INLINE_CODE, re.compile(r"(?<!`)(`{1,2})(?!`)[^\n]+?(?<!`)\1(?!`)")),
    (SpanKind.FORMULA, re.compile(r"\$\$.+?\$\$|\\\[.+?\\\]|\\\(.+?\\\)|\\begin\{(\w+\*?)\}.+?\\end\{\1\}", re.DOTALL)),
    (SpanKind.FORMULA, re.compile(r"(?<![\\$\w])\$(?=[^\s$])(?=[^$\n]*[\\^_={}+*/<>])[^$\n]+?(?<=[^\s\\])\$(?![\w$])")),
    (
        SpanKind.ADDRESS,
        re.compile(r"\b(?:https?|ftp)://[^\s<>\"'）】」]+[^\s<>\"'.,;:!?)\]}）】」。、]|\bwww\.[^\s<>\"']+\w"),
    ),
    (SpanKind.ADDRESS, re.compile(r"\b[\w.+-]+@[\w-]+\.[\w.-]*\w\b", re.ASCII)),
    (
        SpanKind.PLACEHOLDER,
        re.compile(r"\{\{\s*[\w.]+\s*\}\}|\$\{\w+\}|(?<!\\)\{\w*\}|%\(\w+\)[sdif]|%[sdif]\b", re.ASCII),
    ),
    (SpanKind.PLACEHOLDER, re.compile(r"<[A-Z][A-Z0-9_]+>|\[[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*\](?!\()")),
    (
        SpanKind.TAG,
        re.compile(r"</?[a-zA-Z][\w:-]*(?:\s+[\w:-]+=(?:\"[^\"]*\"|'[^']*'|[\w-]+))*\s*/?>", re.ASCII),
    ),
    (SpanKind.NAME, re.compile(r"(?<![\w./@])(?:\w+\.)*\w+\(\)|(?<![\w@])@\w{2,}\b", re.ASCII)),
    (
        SpanKind.NAME,
        re.compile(
            r"(?<![\w./-])[\w-]+\.(?:py|js|ts|json|csv|txt|md|html|css|xml|yaml|yml|pdf|jpg|png|sql|sh|cpp|java|exe)\b",
            re.ASCII,
        ),
    ),
    (SpanKind.NAME, re.compile(r"\b[A-Za-z]\w*_\w+\b|\b[a-z]+[a-z0-9]*(?:[A-Z][a-z0-9]+)+\b", re.ASCII)),
)
"""Earlier patterns win where two overlap."""
LEFT_OVER = re.compile(r"⟦\s*\d*\s*⟧|\[?(?:PLACEHOLDER|XXTOKEN|MASK)[_ ]?\d+\]?|__\d+__")
"""What masks of translation tools look like when they were not put back."""


def kept_spans(text: str) -> list[Span]:
    """Return the spans that a translation must keep, in order, none within another."""
    taken = [False] * len(text)
    spans: list[Span] = []
    for kind, start, end in _candidates(text):
        if start < end and not any(taken[start:end]):
            taken[start:end] = [True] * (end - start)
            spans.append(Span(kind, start, end, text[start:end]))
    return sorted(spans, key=lambda span: span.start)


def _candidates(text: str) -> Iterator[tuple[SpanKind, int, int]]:
    """Yield what may be kept, the strongest first."""
    for kind, pattern in PATTERNS[:2]:
        yield from ((kind, found.start(), found.end()) for found in pattern.finditer(text))
    yield from ((SpanKind.JSON, start, end) for start, end, _ in json_blocks(text))
    for kind, pattern in PATTERNS[2:]:
        yield from ((kind, found.start(), found.end()) for found in pattern.finditer(text))


def json_blocks(text: str) -> Iterator[tuple[int, int, Any]]:
    """Yield (start, end, value) of every JSON object or array that holds a quoted text."""
    decoder = json.JSONDecoder()
    position = 0
    while True:
        found = re.compile(r"[{\[]").search(text, position)
        if not found:
            return
        try:
            value, end = decoder.raw_decode(text, found.start())
        except (json.JSONDecodeError, RecursionError):
            position = found.start() + 1
            continue
        if isinstance(value, dict | list) and value and '"' in text[found.start() : end]:
            yield found.start(), end, value
        position = end


def shape(value: Any) -> Any:
    """Return a JSON value's keys and types without its texts, which a translation may change."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value]
    return str if isinstance(value, str) else value


def code_of(span: Span) -> str:
    """Return a fenced block's code without comments, quoted texts and white space, which a translation may change."""
    body = re.sub(r"^(`{3,}|~{3,}).*\n?|\n?(`{3,}|~{3,})\s*$", "", span.text)
    bare = re.sub(r"\"\"\".*?\"\"\"|'''.*?'''|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'", "''", body, flags=re.DOTALL)
    bare = re.sub(r"(?:#|//|--).*|/\*.*?\*/", "", bare)
    return "".join(bare.split())
