"""A leaderboard's figures: candidates against one baseline, ranked with what the data allow to say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from evalkit.records import MACRO, PANEL, RunData
from evalkit.settings import LengthControl, StatisticsSettings
from evalkit.statistics.figures import Figures, join, ratios
from evalkit.statistics.intervals import wilson_interval
from evalkit.statistics.length_languages import control_lengths
from evalkit.statistics.macro import macro
from evalkit.statistics.ranks import rank_sets
from evalkit.statistics.ratings import elo, star
from evalkit.statistics.resampling import prompt_weights
from evalkit.statistics.table import judged_by, pairs_of, panel_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One candidate's place in one column of a leaderboard. Fractions; NaN where undefined."""

    candidate: str
    judge: str
    language: str
    """A tag or macro."""
    metric: str
    """win_rate or length_controlled_win_rate."""
    value: float
    low: float
    high: float
    standard_error: float
    rating: float
    """Bradley-Terry on the scale of chess, the baseline at 1000: another unit for the same order."""
    rank: int
    """1 is the best; candidates of equal value share the better rank; 0 where undefined."""
    rank_low: int
    """Best rank that the data do not exclude."""
    rank_high: int
    n: int
    clusters: int


def judges_of(runs: Sequence[RunData]) -> list[str]:
    """Return the judges that every run has, `panel` last where there are several."""
    shared = set.intersection(*({outcome.judge for outcome in run.outcomes} for run in runs)) if runs else set()
    return [*sorted(shared), *([PANEL] if len(shared) > 1 else [])]


def standings(runs: Sequence[RunData], settings: StatisticsSettings, *, judge: str) -> tuple[Standing, ...]:
    """Return every candidate's standing by `judge` (one of `judges_of`), by language and macro, in both metrics.

    All runs share one matrix of prompt weights, so ranks rest on paired differences. Candidates keep the order of the
    runs.
    """
    languages = sorted({prompt.language for run in runs for prompt in run.prompts})
    prompts = list({prompt.key: prompt for run in runs for prompt in run.prompts}.values())
    found: dict[str, list[Figures]] = {"win_rate": [], "length_controlled_win_rate": []}
    weights = None
    for run in runs:
        pairs = pairs_of(
            prompts, run.candidate_answers, run.baseline_answers, run.candidate_checks, run.baseline_checks
        )
        if weights is None:
            rng = np.random.default_rng(settings.seed)
            weights = prompt_weights(pairs.clusters, n_resamples=settings.n_resamples, rng=rng)
        judged = judged_by(pairs, run.outcomes)
        chosen = panel_of(judged, settings.panel) if judge == PANEL else next(x for x in judged if x.judge == judge)
        means = ratios([pairs.sums(chosen.score)], weights)[0]
        found["win_rate"].append(means)
        if settings.length_control is not LengthControl.NONE:
            figures = control_lengths(pairs, chosen, method=settings.length_control, weights=weights).figures
            found["length_controlled_win_rate"].append(figures)
    return tuple(
        standing
        for metric, columns in found.items()
        if columns
        for language, figures in _by_language(columns, languages, settings).items()
        for standing in _column(runs, figures, judge, language, metric, settings)
    )


def _by_language(
    candidates: Sequence[Figures], languages: Sequence[str], settings: StatisticsSettings
) -> dict[str, Figures]:
    """Return, by language and for the macro mean, one figure a candidate.

    The macro mean is over the languages in which every candidate has a figure, so that it compares like with like.
    """
    shared = np.isfinite([each.values for each in candidates]).all(axis=0)
    columns = {
        language: join(*(each.select([index]) for each in candidates)) for index, language in enumerate(languages)
    }
    equal = [replace(each, values=np.where(shared, each.values, np.nan)) for each in candidates]
    columns[MACRO] = join(*(macro(each, languages, settings.weights) for each in equal))
    return columns


def _column(
    runs: Sequence[RunData], figures: Figures, judge: str, language: str, metric: str, settings: StatisticsSettings
) -> list[Standing]:
    """Return the standings of all candidates in one column."""
    level = settings.confidence_level
    low, high = wilson_interval(figures, confidence_level=level, floored=metric == "win_rate")
    sets = rank_sets(figures, confidence_level=level)
    rating = elo(star(figures.values, figures.effective_pairs).theta)
    values, errors = figures.values, figures.standard_errors
    return [
        Standing(
            candidate=run.candidate,
            judge=judge,
            language=language,
            metric=metric,
            value=float(values[index]),
            low=float(low[index]),
            high=float(high[index]),
            standard_error=float(errors[index]),
            rating=float(rating[index]),
            rank=1 + int((values > values[index]).sum()) if np.isfinite(values[index]) else 0,
            rank_low=int(sets.low[index]),
            rank_high=int(sets.high[index]),
            n=int(figures.pairs[index]),
            clusters=int(figures.clusters[index]),
        )
        for index, run in enumerate(runs)
    ]
