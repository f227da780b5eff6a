"""The scores that every figure rests on: each judge's, the language rule, the panel, and which judge is meant.

A win rate, wherever it is shown, is the mean of these scores. So results.json, the report, the comparison, the gate,
the leaderboard, the calibration and the exporters take them from here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from evalkit.errors import Problem, RunError, did_you_mean
from evalkit.records import PANEL, LanguageCheck, LanguageStatus, Outcome, RunRecords
from evalkit.settings import PanelRule, StatisticsSettings
from evalkit.statistics.figures import Floats
from evalkit.statistics.pairs import Key, PairTable
from evalkit.statistics.scoring import language_faithful, valid, winner

Wrong = tuple[NDArray[np.bool_], NDArray[np.bool_]]
"""Which answers of the candidate and of the baseline are in the wrong language, (P,) each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeScores:
    """One judge's (or the panel's) scores of the pairs, in the candidate's terms; NaN is missing."""

    judge: str
    score: Floats
    """(P,)"""
    forward: Floats
    swapped: Floats
    graded: Floats
    noise: Floats
    """(P,) variance of a verdict between repeats of the question; NaN with a single repeat."""
    single_order: bool = False
    """Whether there is no order to swap."""


def scores_of(pairs: PairTable, outcomes: Iterable[Outcome], settings: StatisticsSettings) -> tuple[JudgeScores, ...]:
    """Return the scores of each judge, sorted by name, and last the panel's where there are several judges."""
    return _ruled(judged_by(pairs.keys, outcomes), pairs.wrong(), settings)


def scores_by_pair(run: RunRecords, settings: StatisticsSettings) -> dict[str, dict[Key, float]]:
    """Return judge → pair → score, with the panel last where there are several judges: `scores_of` for single pairs."""
    keys = tuple(dict.fromkeys(prompt.key for prompt in run.prompts))
    wrong = (_wrong(keys, run.candidate_checks), _wrong(keys, run.baseline_checks))
    return {
        each.judge: dict(zip(keys, each.score.tolist(), strict=True))
        for each in _ruled(judged_by(keys, run.outcomes), wrong, settings)
    }


def judged_by(keys: Sequence[Key], outcomes: Iterable[Outcome]) -> tuple[JudgeScores, ...]:
    """Return each judge's scores of the pairs `keys`, sorted by name, before any rule.

    Of outcomes that stand twice, the last one counts.
    """
    row = {key: index for index, key in enumerate(keys)}
    found: dict[str, tuple[list[int], list[tuple[float, ...]]]] = {}
    for outcome in outcomes:
        index = row.get(outcome.key)
        if index is not None:
            rows, values = found.setdefault(outcome.judge, ([], []))
            rows.append(index)
            orders = (outcome.score, outcome.forward, outcome.swapped, outcome.graded)
            values.append((*orders, outcome.repeat_variance, outcome.single_order))
    judged = []
    for judge, (rows, values) in sorted(found.items()):
        table = np.full((len(keys), 6), np.nan)
        table[rows] = values
        score, forward, swapped, graded, noise = (valid(column) for column in table.T[:5])
        judged.append(
            JudgeScores(
                judge=judge,
                score=score,
                forward=forward,
                swapped=swapped,
                graded=graded,
                noise=noise,
                single_order=bool((table[rows, 5] == 1).all()),
            )
        )
    return tuple(judged)


def wrong_language_loses(scores: Floats, wrong: Wrong, settings: StatisticsSettings) -> Floats:
    """Return the scores under the suite's language rule.

    With the rule, an answer in the wrong language loses where exactly one side's answer is in the wrong language.
    """
    return language_faithful(scores, *wrong, both=None) if settings.wrong_language_loses else scores


def panel_score(columns: Sequence[Floats], rule: PanelRule) -> Floats:
    """Return the panel's scores from its judges': their mean, or the winner that most of them name.

    A pair counts only where every judge scored it, so that the mix of judges is the same for all.
    """
    stacked = np.stack(columns)
    if rule is PanelRule.MAJORITY:
        return winner(winner(stacked).mean(axis=0))
    return np.asarray(stacked.mean(axis=0))


def panel(judged: Sequence[JudgeScores], rule: PanelRule) -> JudgeScores:
    """Return what several judges say together; see `panel_score`."""
    return JudgeScores(
        judge=PANEL,
        score=panel_score([each.score for each in judged], rule),
        forward=panel_score([each.forward for each in judged], rule),
        swapped=panel_score([each.swapped for each in judged], rule),
        graded=np.stack([each.graded for each in judged]).mean(axis=0),
        noise=np.full(len(judged[0].score), np.nan),
        single_order=any(each.single_order for each in judged),
    )


def chosen_judge(names: Sequence[str], asked: str | None = None) -> str:
    """Return whose figures are meant: the judge asked for, else the panel of several judges, else the only judge.

    Args:
        names: the run's judges.
        asked: a judge's name or `panel`.

    Raises:
        RunError: there is no such judge, or no judge at all.
    """
    choices = [*names, PANEL] if len(names) > 1 else list(names)
    if asked is None and not choices:
        raise RunError(Problem(message="the run has no judge: there is nothing to compare"))
    if asked is not None and asked not in choices:
        raise RunError(Problem(where="--judge", message=f"no judge {asked!r}", hint=did_you_mean(asked, choices)))
    return choices[-1] if asked is None else asked


def _ruled(judged: Sequence[JudgeScores], wrong: Wrong, settings: StatisticsSettings) -> tuple[JudgeScores, ...]:
    """Apply the language rule to each judge, then add the panel where there are several."""
    ruled = [replace(each, score=wrong_language_loses(each.score, wrong, settings)) for each in judged]
    return (*ruled, panel(ruled, settings.panel)) if len(ruled) > 1 else tuple(ruled)


def _wrong(keys: Sequence[Key], checks: Mapping[Key, LanguageCheck]) -> NDArray[np.bool_]:
    found = (checks.get(key) for key in keys)
    return np.array([check is not None and check.status is LanguageStatus.WRONG for check in found], dtype=np.bool_)
