"""Look: ask prompts in a seeded random order, a few at a time, until every interval is as narrow as was asked.

Off unless `statistics: target_half_width` says so. The ledger makes it cheap: each look is an ordinary round over more
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
"""Prompts a language between looks (docs/statistics.md)."""


def looks(workload: Workload) -> Iterator[Workload]:
    """Return the workload of each look: 50 prompts a language, 75, 100 … and at last all of them."""
    target = workload.suite.statistics.target_half_width
    if target is not None and workload.judges:
        for prompts in range(MIN_PROMPTS, max(workload.counts.values(), default=0), EVERY):
            note = f"looked at {prompts} prompts a language, where every interval is within ±{100 * target:g} points"
            yield replace(
                workload,
                prompts=sample(workload.prompts, limit=prompts, seed=workload.suite.prompts.sample_seed),
                notes=(note,),
            )
    yield workload


def precise(workload: Workload, judged: Sequence[JudgeReplies]) -> bool:
    """Whether each judge's win rate in each language is as precise as was asked."""
    settings = workload.suite.statistics
    if settings.target_half_width is None:
        return True
    scores: dict[tuple[int, str, str], list[float]] = {
        (number, judge.name, language): []
        for number in range(len(judged))
        for judge in workload.judges
        for language in workload.counts
    }
    for number, heard in enumerate(judged):
        for outcome in outcomes(heard.comparisons, heard.verdicts):
            scores[number, outcome.judge, outcome.language].append(outcome.score)
    return all(
        precise_enough(np.array(own), half_width=settings.target_half_width, confidence_level=settings.confidence_level)
        for own in scores.values()
    )
