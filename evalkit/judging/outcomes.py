"""From verdicts to outcomes: the one place where positions (A, B) become the candidate's score."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import groupby
from statistics import fmean, variance

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
