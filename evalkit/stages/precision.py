"""Stop once the figures are precise enough: ask prompts in a seeded random order, a batch at a time.

Off unless `statistics: target_half_width` says so. The ledger makes it cheap: each batch is an ordinary round over more
prompts, of which only the new ones are asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from evalkit.data.prompts import sample
from evalkit.judging.outcomes import outcomes
from evalkit.stages.load import Workload
from evalkit.stages.verdicts import JudgeReplies
from evalkit.statistics.sequential import MIN_PROMPTS, precise_enough

EVERY = 25
"""Prompts a language by which batches grow (docs/statistics.md)."""


def batches(workload: Workload) -> Iterator[Workload]:
    """Return ever larger parts of a workload: its first 50 prompts a language, 75, 100 … and at last all of them."""
    if workload.suite.statistics.target_half_width is not None and workload.judges:
        for prompts in range(MIN_PROMPTS, max(workload.counts.values(), default=0), EVERY):
            first = sample(workload.prompts, limit=prompts, seed=workload.suite.prompts.sample_seed)
            yield replace(workload, prompts=first)
    yield workload


def all_precise_enough(workload: Workload, replies: Sequence[JudgeReplies]) -> bool:
    """Whether each judge's win rate in each language is as precise as the suite asks; False where it does not ask."""
    settings = workload.suite.statistics
    if settings.target_half_width is None:
        return False
    scores: dict[tuple[int, str, str], list[float]] = {
        (matchup, judge.name, language): []
        for matchup in range(len(replies))
        for judge in workload.judges
        for language in workload.counts
    }
    for matchup, replied in enumerate(replies):
        for outcome in outcomes(replied.comparisons, replied.verdicts):
            scores[matchup, outcome.judge, outcome.language].append(outcome.score)
    return all(
        precise_enough(
            np.array(each), half_width=settings.target_half_width, confidence_level=settings.confidence_level
        )
        for each in scores.values()
    )


def precise_after(batch: Workload) -> Workload:
    """Return a batch with the note that it was enough: every interval is as narrow as the suite asks."""
    target, prompts = batch.suite.statistics.target_half_width or 0.0, max(batch.counts.values(), default=0)
    note = f"looked at {prompts} prompts a language, where every interval is within ±{100 * target:g} points"
    return replace(batch, notes=(*batch.notes, note))
