"""What the texts are like: length, words, lexical diversity, repetition, Markdown. Compared within a language only.

After LLM See, LLM Do (Shimabucoro et al. 2024, arXiv:2407.01490). Words of Vietnamese and of Thai are not the same
kind of thing, so a figure is set beside the other side's in the same language, never beside another language's.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import regex

from evalkit.language.length import characters
from evalkit.language.words import Splitter, word_splitter
from evalkit.records import Estimate, Generation
from evalkit.results import TextProfile
from evalkit.settings import StatisticsSettings
from evalkit.statistics.estimates import EstimateLabels, publish
from evalkit.statistics.figures import Floats, Weights, divide, ratios
from evalkit.statistics.pairs import Key, PairTable
from evalkit.statistics.style_features import markdown

SIDES = ("candidate", "baseline")
MEASURES = ("characters", "words", "sentence_words", "diversity", "repetition", "headings", "lists", "bold")
"""Code points; words; words to a sentence; MTLD; share of repeated four-word sequences; per thousand characters."""
WORDED = frozenset({"words", "sentence_words", "diversity", "repetition"})
"""Measures that hang on where words begin and end."""
Scores = Mapping[str, Mapping[str, Mapping[Key, float]]]
"""Measure of a plug-in, such as toxicity → side → (language, prompt id) → score; NaN abstains."""

THRESHOLD = 0.72
"""Type-token ratio at which a factor of MTLD is complete (McCarthy and Jarvis 2010)."""
_MIN_WORDS = 50
"""Below this many words lexical diversity is noise."""
_SENTENCE_END = regex.compile(r"[.!?]+(?![\p{L}\p{N}])|[。！？।॥؟։።]+")


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


def measures(text: str, language: str, *, split: Splitter) -> tuple[float, ...]:
    """Return one answer's `MEASURES`; all NaN where it is empty."""
    if not text.strip():
        return (math.nan,) * len(MEASURES)
    tokens = split(text, language)
    return (
        characters(text),
        len(tokens),
        len(tokens) / max(len(_SENTENCE_END.findall(text)), 1),
        mtld(tokens) if len(tokens) >= _MIN_WORDS else math.nan,
        repetition(tokens),
        *(1000 * count / len(text) for count in markdown(text)),
    )


def profile_rows(
    pairs: PairTable,
    answers: Mapping[str, Sequence[Generation]],
    weights: Weights,
    settings: StatisticsSettings,
    *,
    scores: Scores | None = None,
) -> list[TextProfile]:
    """Return the profile of both sides: a row a measure, language and side.

    Means are over a side's own answers. Differences (this side less the other) are over the prompts that have the
    measure on both sides, resampled by the run's prompt weights.

    Args:
        pairs: the run's pairs.
        answers: side → its generations.
        weights: (C, B) the run's prompt weights.
        settings: interval and level.
        scores: of plug-ins.
    """
    split, said = word_splitter()
    tables = [_table(pairs, answers[side], split) for side in SIDES]
    for name, by_side in (scores or {}).items():
        for side, table in zip(SIDES, tables, strict=True):
            table[name] = _finite([by_side[side].get(key, math.nan) for key in pairs.keys])
    differences = ratios([pairs.sums(tables[0][name] - tables[1][name]) for name in tables[0]], weights)
    rows = []
    for name, figures in zip(tables[0], differences, strict=True):
        labels = EstimateLabels(
            candidate=SIDES[0],
            judge="",
            metric=name,
            languages=pairs.languages,
            why_undefined="no prompt has this measure on both sides",
        )
        ours = publish(figures, labels, settings, bounds=None)
        made = said if name in WORDED else ""
        rows += _rows(SIDES[0], pairs, tables[0][name], ours, made)
        rows += _rows(SIDES[1], pairs, tables[1][name], [_turned(row) for row in ours], made)
    return rows


def _table(pairs: PairTable, answers: Sequence[Generation], split: Splitter) -> dict[str, Floats]:
    """Return measure → (P,) values of one side."""
    texts = {answer.key: answer.text for answer in answers}
    rows = [measures(texts.get(key, ""), key[0], split=split) for key in pairs.keys]
    columns = np.array(rows, dtype=np.float64).reshape(len(rows), len(MEASURES)).T
    return dict(zip(MEASURES, columns, strict=True))


def _finite(values: Sequence[float]) -> Floats:
    array = np.array(values, dtype=np.float64)
    return np.where(np.isfinite(array), array, np.nan)


def _turned(row: Estimate) -> Estimate:
    """Return a difference as the other side sees it (0 stays 0, not -0)."""
    return replace(
        row,
        value=0.0 - row.value,
        low=0.0 - row.high,
        high=0.0 - row.low,
        bootstrap_low=0.0 - row.bootstrap_high,
        bootstrap_high=0.0 - row.bootstrap_low,
    )


def _rows(side: str, pairs: PairTable, values: Floats, differences: Sequence[Estimate], made: str) -> list[TextProfile]:
    totals, counts = (part.sum(axis=0) for part in pairs.sums(values))
    return [
        TextProfile(
            side=side,
            language=row.language,
            measure=row.metric,
            mean=mean,
            n=int(number),
            difference=row.value,
            low=row.low,
            high=row.high,
            standard_error=row.standard_error,
            bootstrap_low=row.bootstrap_low,
            bootstrap_high=row.bootstrap_high,
            pairs=row.n,
            clusters=row.clusters,
            confidence_level=row.confidence_level,
            method=f"{row.method}; {made}" if made else row.method,
        )
        for row, mean, number in zip(differences, divide(totals, counts).tolist(), counts, strict=True)
    ]
