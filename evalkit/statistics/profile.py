"""What the texts are like: length, words, lexical diversity, repetition, Markdown. Compared within a language only.

After LLM See, LLM Do (Shimabucoro et al. 2024, arXiv:2407.01490). Words of Vietnamese and of Thai are not the same
kind of thing, so a figure is set beside the other model's in the same language, never beside another language's.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import regex

from evalkit.language.length import characters
from evalkit.records import Generation
from evalkit.statistics.style import markdown

Scorer = Callable[[str, str], float]
"""(text, language) → a score of one answer, such as its toxicity in [0, 1]."""

THRESHOLD = 0.72
"""Type-token ratio at which a factor of MTLD is complete (McCarthy and Jarvis 2010)."""
_MIN_WORDS = 50
"""Below this many words lexical diversity is noise."""
_WORD = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]\p{M}*|[\p{L}\p{N}][\p{L}\p{M}\p{N}'’‑-]*"
)
"""A word is a run of letters, or one character of a script that writes without spaces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One model's answers in one language: means over answers."""

    model: str
    language: str
    n: int
    characters: float
    words: float
    sentence_words: float
    """Words to a sentence."""
    diversity: float
    """MTLD: mean length of a stretch that keeps its variety; over answers of 50 words or more."""
    repetition: float
    """Share of four-word sequences that stood before in the same answer."""
    headings: float
    """Per thousand characters, as the next two."""
    lists: float
    bold: float
    scores: Mapping[str, float]
    """Means of the plug-in scorers, by name."""


def words(text: str) -> list[str]:
    """Return the words, case folded; characters in scripts that write without spaces (no dictionary is used)."""
    return [word.casefold() for word in _WORD.findall(text)]


def mtld(tokens: Sequence[str]) -> float:
    """Return the measure of textual lexical diversity, mean of both directions; NaN for an empty text."""
    if not tokens:
        return math.nan
    return (_factors(tokens) + _factors(tokens[::-1])) / 2


def _factors(tokens: Sequence[str]) -> float:
    """Return tokens per factor: how long the type-token ratio stays above the threshold."""
    factors, seen, length = 0.0, set[str](), 0
    for token in tokens:
        seen.add(token)
        length += 1
        if len(seen) / length <= THRESHOLD:
            factors += 1
            seen, length = set(), 0
    if length:
        factors += (1 - len(seen) / length) / (1 - THRESHOLD)
    return len(tokens) / factors if factors > 0 else float(len(tokens))


def repetition(tokens: Sequence[str], *, size: int = 4) -> float:
    """Return the share of sequences of `size` tokens that stood before; 0 for texts shorter than that."""
    total = len(tokens) - size + 1
    if total <= 0:
        return 0.0
    counts = Counter(tuple(tokens[start : start + size]) for start in range(total))
    return 1 - len(counts) / total


def profile(answers: Iterable[Generation], *, scorers: Mapping[str, Scorer] | None = None) -> tuple[Profile, ...]:
    """Return the profile of every model and language among the answers, sorted; empty answers are left out.

    Args:
        answers: of one or more models.
        scorers: plug-ins by name, such as toxicity: anything that takes a text and its language (docs/statistics.md
            has an example). A scorer that returns NaN for an answer abstains.
    """
    found: dict[tuple[str, str], list[str]] = {}
    for answer in answers:
        if answer.text.strip():
            found.setdefault((answer.model, answer.language), []).append(answer.text)
    return tuple(_profile(model, language, texts, scorers or {}) for (model, language), texts in sorted(found.items()))


def _profile(model: str, language: str, texts: Sequence[str], scorers: Mapping[str, Scorer]) -> Profile:
    tokens = [words(text) for text in texts]
    marks = [[1000 * count / len(text) for count in markdown(text)] for text in texts]
    return Profile(
        model=model,
        language=language,
        n=len(texts),
        characters=_mean(characters(text) for text in texts),
        words=_mean(map(len, tokens)),
        sentence_words=_mean(
            len(own) / max(len(regex.findall(r"[.!?。！？।॥؟։።]+", text)), 1)
            for own, text in zip(tokens, texts, strict=True)
        ),
        diversity=_mean(mtld(own) for own in tokens if len(own) >= _MIN_WORDS),
        repetition=_mean(map(repetition, tokens)),
        headings=_mean(row[0] for row in marks),
        lists=_mean(row[1] for row in marks),
        bold=_mean(row[2] for row in marks),
        scores={name: _mean(scorer(text, language) for text in texts) for name, scorer in scorers.items()},
    )


def _mean(values: Iterable[float]) -> float:
    """Return the mean of what is not NaN; NaN of nothing."""
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan
