"""The words of a text: by ICU's rules and dictionaries where icu4py is installed, by letters where it is not."""

from __future__ import annotations

from collections.abc import Callable

import regex

Splitter = Callable[[str, str], list[str]]
"""(text, BCP-47 tag) → its words, case folded."""

BY_ICU = "words by ICU"
BY_LETTERS = "words by letters: one character is a word in scripts without spaces (pip install icu4py for ICU's)"

_WORD = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]\p{M}*|[\p{L}\p{N}][\p{L}\p{M}\p{N}'’‑-]*"
)
_WRITTEN = regex.compile(r"[\p{L}\p{N}]")
"""What a segment must hold to be a word: ICU also returns spaces and punctuation."""


def word_splitter() -> tuple[Splitter, str]:
    """Return the best splitter that is installed, and what to say of it."""
    try:
        import icu4py.breakers  # noqa: F401 - only whether it is there
    except ImportError:
        return by_letters, BY_LETTERS
    return by_icu, BY_ICU


def by_icu(text: str, language: str) -> list[str]:
    """Return the words that ICU finds (UAX 29, with dictionaries for Chinese, Japanese, Thai, Lao, Khmer, Burmese)."""
    from icu4py.breakers import WordBreaker

    whole = text.encode("utf-8", "replace").decode("utf-8")  # ICU refuses lone surrogates
    return [segment.casefold() for segment in WordBreaker(whole, language) if _WRITTEN.search(segment)]


def by_letters(text: str, language: str = "") -> list[str]:
    """Return runs of letters; single characters in scripts that write without spaces (no dictionary is used)."""
    del language
    return [word.casefold() for word in _WORD.findall(text)]
