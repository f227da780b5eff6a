"""Whether answers keep to the language they should be in."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice

from evalkit.language.confusion import MIN_CONFIDENCE, has_english_word, long_lines
from evalkit.language.identify import Found, Identifier
from evalkit.language.prose import has_letters, lines_of, prose
from evalkit.language.tags import describe
from evalkit.records import LanguageCheck, LanguageStatus

MIN_LETTERS = 20
"""Letters below which a text's language is not told, and to which short lines are merged."""
OK_SHARE = 0.8
WRONG_SHARE = 0.3
CHUNK = 1000
"""Answers looked at together; bounds the memory."""


def check_answers(texts: Sequence[str], expected: str, *, languages: Collection[str]) -> list[LanguageCheck]:
    """Return one check for each text that should be in `expected`; `languages` are the suite's (BCP-47).

    Where the identifier lacks the expected language, a text in its script passes unless it is surely English or a
    language of the suite from another family; `identified` is then und-Xxxx, its script.

    Raises:
        ValueError: a tag is no language.
    """
    identifier = Identifier(languages, expected=expected)
    latin = describe(expected).script == "Latn"
    remaining = iter(texts)
    checks: list[LanguageCheck] = []
    while chunk := list(islice(remaining, CHUNK)):
        checks.extend(_check_chunk(chunk, identifier, latin=latin))
    return checks


def _check_chunk(texts: Sequence[str], identifier: Identifier, *, latin: bool) -> Iterator[LanguageCheck]:
    """Check some texts; every distinct line is identified once."""
    merged = [
        list(lines_of(stripped, letters=MIN_LETTERS)) if has_letters(stripped, MIN_LETTERS) else []
        for stripped in map(prose, texts)
    ]
    long = [list(long_lines(text)) for text in texts]
    distinct = list(dict.fromkeys(line for lines in (*merged, *long) for line in lines))
    found = dict(zip(distinct, identifier.identify(distinct), strict=True))
    for merged_lines, lines in zip(merged, long, strict=True):
        status, share, identified = _adherence(merged_lines, found, identifier)
        line_pass = _line_pass(lines, found, identifier)
        word_pass = None if latin or not line_pass else not any(map(has_english_word, lines))
        yield LanguageCheck(status=status, share=share, identified=identified, line_pass=line_pass, word_pass=word_pass)


def _adherence(
    lines: Sequence[str], found: Mapping[str, Found], identifier: Identifier
) -> tuple[LanguageStatus, float, str]:
    """Status, share of the expected language by weight, and the language found most."""
    weights: Counter[str] = Counter()
    right = 0.0
    for line in lines:
        result = found[line]
        weights[result.language] += result.weight  # type: ignore[assignment]  # counts of bytes are floats
        right += result.weight if identifier.is_expected(result) else 0.0
    total = sum(weights.values())
    if not total:
        return LanguageStatus.NONE, math.nan, ""
    share = right / total
    status = (
        LanguageStatus.OK
        if share >= OK_SHARE
        else LanguageStatus.MIXED
        if share >= WRONG_SHARE
        else LanguageStatus.WRONG
    )
    return status, share, max(weights, key=weights.__getitem__)


def _line_pass(lines: Sequence[str], found: Mapping[str, Found], identifier: Identifier) -> bool | None:
    """Language Confusion Benchmark: whether every long line is in the expected language; None without long lines."""
    judged = [found[line] for line in lines if found[line].language]
    if not judged:
        return None
    return all(identifier.is_expected(line) and line.confidence > MIN_CONFIDENCE for line in judged)
