"""Length control of implicit rewards (Yang et al. 2025): take α · characters off, so that longer is not better."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from evalkit.judging.definition import JudgeDefinition
from evalkit.judging.reading import compare
from evalkit.records import Comparison, Verdict

STEPS = 1000
"""α is searched on [0, 1) in steps of 1/1000, as published."""

_Place = tuple[str, str, str, str, int]


def settle(
    definitions: Mapping[str, JudgeDefinition], comparisons: Iterable[Comparison], verdicts: Sequence[Verdict]
) -> list[Verdict]:
    """Return the verdicts, those of length-controlled reward judges decided anew; `definitions` by judge name.

    α belongs to a judge and a language, since a character holds more in one script than in another. It is the one that
    makes winners and losers equally long on average; verdicts note it as `alpha`.
    """
    lengths = {_place(item): tuple(len(answer.text) for answer in item.answers) for item in comparisons}
    groups: dict[tuple[str, str], list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        if definitions[verdict.judge].length_control:
            groups[verdict.judge, verdict.language].append(verdict)
    alphas = {key: _alpha(group, lengths) for key, group in groups.items()}
    return [
        _controlled(verdict, lengths[_place_of(verdict)], alphas[key])
        if (key := (verdict.judge, verdict.language)) in alphas
        else verdict
        for verdict in verdicts
    ]


def _place(item: Comparison) -> _Place:
    return (item.judge, item.prompt.language, item.prompt.id, item.order.value, item.repeat)


def _place_of(verdict: Verdict) -> _Place:
    return (verdict.judge, verdict.language, verdict.prompt_id, verdict.order.value, verdict.repeat)


def _alpha(verdicts: Sequence[Verdict], lengths: Mapping[_Place, tuple[int, ...]]) -> float:
    """Return the smallest α that minimises |mean length of winners − mean length of losers|; ties weigh nothing."""
    rewards = [_rewards(verdict) for verdict in verdicts]
    sizes = [lengths[_place_of(verdict)] for verdict in verdicts]
    gaps = [(a - b, float(m - n)) for (a, b), (m, n) in zip(rewards, sizes, strict=True)]

    def imbalance(step: int) -> float:
        alpha = step / STEPS
        return abs(sum(n if r > alpha * n else -n if r < alpha * n else 0.0 for r, n in gaps))

    return min(range(STEPS), key=imbalance) / STEPS


def _rewards(verdict: Verdict) -> tuple[float, float]:
    assert verdict.score_a is not None
    assert verdict.score_b is not None
    return verdict.score_a, verdict.score_b


def _controlled(verdict: Verdict, lengths: Sequence[int], alpha: float) -> Verdict:
    a, b = (reward - alpha * length for reward, length in zip(_rewards(verdict), lengths, strict=True))
    return dataclasses.replace(verdict, **compare(a, b), notes={**verdict.notes, "alpha": f"{alpha:.3f}"})
