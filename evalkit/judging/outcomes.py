"""From verdicts to outcomes: the one place where positions (A, B) become the candidate's score."""

from __future__ import annotations

import dataclasses
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from statistics import fmean, variance

from evalkit.judging.definition import JudgeDefinition
from evalkit.judging.reading import compare
from evalkit.records import Comparison, Order, Outcome, Verdict

PairKey = tuple[str, str, str]
"""(judge, language, prompt id)."""


def candidate_score(value: float, order: Order) -> float:
    """Turn a worth for A into a worth for the candidate; every undoing of the swap goes through here."""
    return value if order is Order.FORWARD else 1.0 - value


def outcomes(comparisons: Iterable[Comparison], verdicts: Iterable[Verdict]) -> list[Outcome]:
    """Return one outcome per pair that was put to a judge, in the order of the comparisons.

    A pair's score is the mean of its two orders, each the mean of its repeats. Where an order has no verdict, the score
    is NaN and the other order is kept: a missing verdict is never a tie. Judges with one order have it as their score.
    """
    asked: dict[PairKey, set[Order]] = defaultdict(set)
    for comparison in comparisons:
        asked[comparison.judge, comparison.prompt.language, comparison.prompt.id].add(comparison.order)
    said: dict[PairKey, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        said[verdict.judge, verdict.language, verdict.prompt_id].append(verdict)
    return [_outcome(key, orders, said.get(key, [])) for key, orders in asked.items()]


def _outcome(key: PairKey, orders: set[Order], verdicts: Sequence[Verdict]) -> Outcome:
    judge, language, prompt_id = key
    scores = {order: _scores(verdicts, order) for order in Order}
    forward, swapped = (fmean(scores[order]) if scores[order] else math.nan for order in Order)
    single_order = Order.SWAPPED not in orders
    graded = {
        order: [candidate_score(v.graded, order) for v in verdicts if v.order is order and v.graded is not None]
        for order in orders
    }
    spreads = [variance(values) for values in scores.values() if len(values) > 1]
    return Outcome(
        judge=judge,
        language=language,
        prompt_id=prompt_id,
        score=forward if single_order else (forward + swapped) / 2,
        forward=forward,
        swapped=math.nan if single_order else swapped,
        graded=fmean(fmean(values) for values in graded.values()) if all(graded.values()) else math.nan,
        soft=any(verdict.soft for verdict in verdicts),
        single_order=single_order,
        repeat_variance=fmean(spreads) if spreads else math.nan,
    )


def _scores(verdicts: Sequence[Verdict], order: Order) -> list[float]:
    """The candidate's scores in one order, a value per repeat."""
    return [candidate_score(verdict.preference, order) for verdict in verdicts if verdict.order is order]


def self_consistency(verdicts: Iterable[Verdict]) -> dict[tuple[str, str], float]:
    """Return, by (judge, language), how often a repeat agrees with the most frequent choice of its pair and order.

    1 means that asking again never changes the choice. Only pairs with two or more repeats count; languages without any
    are left out.
    """

    def place(verdict: Verdict) -> tuple[str, str, str, str]:
        return (verdict.judge, verdict.language, verdict.prompt_id, verdict.order.value)

    shares: dict[tuple[str, str], list[float]] = defaultdict(list)
    for (judge, language, *_), group in groupby(sorted(verdicts, key=place), key=place):
        choices = [verdict.choice for verdict in group]
        if len(choices) > 1:
            shares[judge, language].append(max(map(choices.count, choices)) / len(choices))
    return {key: fmean(values) for key, values in shares.items()}


Key = tuple[str, str]
"""(language, prompt id)."""


def rates(
    definitions: Mapping[str, JudgeDefinition], verdicts: Iterable[Verdict]
) -> dict[str, dict[str, dict[Key, float]]]:
    """Return judge → figure → pair → 1 where the answer has the words of the figure, else 0; a mean over repeats.

    The candidate's figure has the name that the definition gives it, the baseline's has `baseline_` before it.
    `definitions` are by judge name.
    """
    found: dict[str, dict[str, dict[Key, list[float]]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for verdict in verdicts:
        definition = definitions.get(verdict.judge)
        for name, wanted in definition.rates.items() if definition else ():
            # Judges of single answers have the forward order only: A is the candidate.
            for side, figure in (("a", name), ("b", f"baseline_{name}")):
                has = all(verdict.notes.get(f"{field}_{side}") in words for field, words in wanted.items())
                found[verdict.judge][figure][verdict.language, verdict.prompt_id].append(float(has))
    return {
        judge: {figure: {key: fmean(values) for key, values in by_pair.items()} for figure, by_pair in figures.items()}
        for judge, figures in found.items()
    }


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
