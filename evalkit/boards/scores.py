"""The scores of many runs on the same axes: prompts (the clusters) by languages, one array a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evalkit.records import PANEL
from evalkit.statistics.figures import Figures, Floats, Weights, join, mean, prompt_weights
from evalkit.statistics.languages import macro

Columns = Mapping[str, Any]
"""`score`, and (words, codes) of judge, language and prompt_id: what `run.read_scores` returns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """R runs' scores by one judge, in each candidate's terms; NaN is missing."""

    languages: tuple[str, ...]
    prompts: tuple[str, ...]
    values: tuple[Floats, ...]
    """R arrays (C, L)."""

    def weights(self, *, n_resamples: int, seed: int) -> Weights:
        """Return the prompt weights that all runs share, so that differences are paired."""
        rng = np.random.default_rng(seed)
        return prompt_weights(len(self.prompts), n_resamples=n_resamples, rng=rng)


def align(runs: Sequence[Columns], judge: str) -> Scores:
    """Return the scores of all runs by `judge`, or by `panel`: the mean of all judges where all have a score."""
    languages = sorted({word for run in runs for word in run["language"][0]})
    prompts = sorted({word for run in runs for word in run["prompt_id"][0]})
    places = [{word: place for place, word in enumerate(words)} for words in (prompts, languages)]
    return Scores(
        languages=tuple(languages),
        prompts=tuple(prompts),
        values=tuple(_one_run(run, judge, *places) for run in runs),
    )


def _one_run(run: Columns, judge: str, prompts: Mapping[str, int], languages: Mapping[str, int]) -> Floats:
    row = np.array([prompts[word] for word in run["prompt_id"][0]], dtype=np.int64)[run["prompt_id"][1]]
    column = np.array([languages[word] for word in run["language"][0]], dtype=np.int64)[run["language"][1]]
    names, codes = run["judge"]
    wanted = range(len(names)) if judge == PANEL else [place for place, name in enumerate(names) if name == judge]
    tables = []
    for place in wanted:
        own = codes == place
        table = np.full((len(prompts), len(languages)), np.nan)
        table[row[own], column[own]] = run["score"][own]
        tables.append(table)
    return np.mean(tables, axis=0) if tables else np.full((len(prompts), len(languages)), np.nan)


def by_language_and_macro(
    scores: Floats, languages: Sequence[str], weights: Weights, macro_of: Mapping[str, float]
) -> Figures:
    """Return (L + 1) figures of (C, L) values: the mean of each language, then the macro mean."""
    figures = mean(scores, weights)
    return join(figures, macro(figures, languages, macro_of))
