"""Line-level and word-level pass of the Language Confusion Benchmark (Marchisio et al. 2024, section 3).

A line of five or more words in another language, or in one that cannot be told, fails the answer's line pass. Of the
answers that pass, those in a language of non-Latin script fail the word pass when a lower-case English word of four or
more letters stands in such a line. The benchmark identifies with fastText's lid.176; here it is py3langid on a closed
set (docs/languages.md has both sets of figures). It splits Chinese and Japanese by a segmenter; here two letters of a
script without spaces count as a word.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

MIN_WORDS = 5
MIN_CONFIDENCE = 0.3
LETTERS_PER_WORD = 2
"""Average word length of Chinese and Japanese, for counting words without a segmenter."""

_MARKS = string.punctuation + "،"
_PUNCTUATION = str.maketrans(dict.fromkeys(_MARKS, "") | {"—": " "})
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u3005-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U000323af]"
)
_LATIN_WORD = re.compile("[A-Za-z]+")


def long_lines(text: str) -> Iterator[str]:
    """Yield the lines of five or more words, stripped of white space only."""
    for raw in text.split("\n"):
        line = raw.strip()
        if len(line) >= MIN_WORDS and _is_long(line):
            yield line


def has_english_word(line: str) -> bool:
    """Whether a lower-case English word of four or more letters stands in a line of another script."""
    plain = line.translate(_PUNCTUATION)
    # Where words are not spaced, an English word may touch its neighbours; elsewhere it must stand alone.
    tokens = _LATIN_WORD.findall(plain) if _UNSPACED.search(plain) else plain.split()
    return not english_words().isdisjoint(tokens)


def _is_long(line: str) -> bool:
    """Whether a line has five words; what is only ASCII punctuation is none."""
    spaced, unspaced = line, 0
    if not line.isascii():
        spaced, unspaced = _UNSPACED.subn(" ", line.replace("—", " "))
    needed = MIN_WORDS - unspaced // LETTERS_PER_WORD
    words = 0
    for token in spaced.split():
        if words >= needed:
            break
        words += token[0].isalnum() or bool(token.strip(_MARKS))
    return words >= needed


@cache
def english_words() -> frozenset[str]:
    """Return common English words in lower case, four letters or more (SCOWL, see english.LICENSE)."""
    return frozenset(files(__package__).joinpath("english.txt").read_text(encoding="ascii").split())
