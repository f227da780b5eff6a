"""Length control of all languages of a run by one judge, as one object of figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evalkit.results import LengthBin, LengthOverlap
from evalkit.settings import LengthControl, StatisticsSettings
from evalkit.statistics.alpaca import alpaca_controlled
from evalkit.statistics.figures import Figures, Floats, Weights, ratios
from evalkit.statistics.intervals import wilson_interval
from evalkit.statistics.length_fit import (
    FEWEST,
    LengthFit,
    Overlap,
    Prior,
    length_controlled,
    shared_prior,
    standardised,
)
from evalkit.statistics.length_joint import JointFit, fit_joint
from evalkit.statistics.metrics import log_length_ratio
from evalkit.statistics.pairs import PairTable
from evalkit.statistics.scores import JudgeScores

JOINT_LANGUAGES = 5
"""Languages from which on `auto` fits jointly."""
JOINT_PAIRS = 50
"""Pairs a language needs for a free coefficient of difficulty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthControlled:
    """One judge's length-controlled figures."""

    figures: Figures
    """One figure a language."""
    fits: tuple[LengthFit, ...]
    """By language."""
    methods: tuple[str, ...]
    """By language: joint, minimal or alpaca, what is to be said of it, or why there is no figure."""
    joint: JointFit | None
    """The joint fit, where there was one."""


def control_lengths(
    pairs: PairTable, judged: JudgeScores, *, method: LengthControl, weights: Weights, shrink_slopes: bool = False
) -> LengthControlled:
    """Return the length-controlled win rate of every language; answers in the wrong language are left out.

    Args:
        pairs: the run's pairs.
        judged: one judge's scores.
        method: the setting; `auto` is joint from five parallel languages on.
        weights: (C, B) prompt weights.
        shrink_slopes: whether languages' slopes are drawn to their common mean (empirical Bayes).
    """
    candidate_wrong, baseline_wrong = pairs.wrong()
    usable = np.isfinite(judged.score + pairs.candidate_length + pairs.baseline_length)
    usable &= ~candidate_wrong & ~baseline_wrong
    rows = [np.flatnonzero(usable & (pairs.language == index)) for index in range(len(pairs.languages))]
    joint = _joint(pairs, judged, rows) if _is_joint(method, pairs, rows) else None
    covariates = [_difficulty(pairs, index, joint, method) for index in rows]

    def fit_all(prior: Prior | None, weights: Weights) -> list[LengthFit]:
        return [
            _fit(pairs, judged, index, method, weights, difficulty, prior)
            for index, difficulty in zip(rows, covariates, strict=True)
        ]

    prior = None
    if shrink_slopes and method is not LengthControl.ALPACA:
        alone = fit_all(None, weights[:, :0])
        prior = shared_prior(np.array([fit.slope for fit in alone]), np.array([fit.slope_error for fit in alone]))
    fits = fit_all(prior, weights)
    methods = [
        _describe(fit, _name(method, joint, difficulty)) for fit, difficulty in zip(fits, covariates, strict=True)
    ]
    return LengthControlled(
        figures=figures_of([pairs.cluster[index] for index in rows], fits, clusters=pairs.clusters),
        fits=tuple(fits),
        methods=tuple(methods),
        joint=joint,
    )


def _difficulty(
    pairs: PairTable, index: NDArray[np.int64], joint: JointFit | None, method: LengthControl
) -> Floats | None:
    """Return the difficulty covariate of one language's pairs, where one is known for all of them."""
    if method is LengthControl.ALPACA:
        known = pairs.difficulty[index]
        return known if len(index) and np.isfinite(known).all() else None
    return joint.ease[pairs.cluster[index]] if joint is not None and len(index) >= JOINT_PAIRS else None


def _fit(
    pairs: PairTable,
    judged: JudgeScores,
    index: NDArray[np.int64],
    method: LengthControl,
    weights: Weights,
    difficulty: Floats | None,
    prior: Prior | None,
) -> LengthFit:
    """Fit one language."""
    scores, candidate, baseline = judged.score[index], pairs.candidate_length[index], pairs.baseline_length[index]
    cluster = pairs.cluster[index]
    whole = len(index) == pairs.clusters and bool((cluster == np.arange(len(index))).all())
    own = weights if whole else weights[cluster]
    if method is LengthControl.ALPACA:
        return alpaca_controlled(scores, candidate=candidate, baseline=baseline, weights=own, difficulty=difficulty)
    return length_controlled(
        scores, candidate=candidate, baseline=baseline, weights=own, difficulty=difficulty, prior=prior
    )


def _name(method: LengthControl, joint: JointFit | None, difficulty: Floats | None) -> str:
    if method is LengthControl.ALPACA:
        return "alpaca" if difficulty is not None else "alpaca without difficulty"
    return "joint" if joint is not None and difficulty is not None else "minimal"


def _is_joint(method: LengthControl, pairs: PairTable, rows: Sequence[NDArray[np.int64]]) -> bool:
    """Prompts that stand in one language only say nothing of their difficulty that the score itself does not."""
    enough = sum(len(index) >= JOINT_PAIRS for index in rows) >= JOINT_LANGUAGES
    shared = sum(map(len, rows)) >= 3 * len({int(cluster) for index in rows for cluster in pairs.cluster[index]})
    return shared and (method is LengthControl.JOINT or (method is LengthControl.AUTO and enough))


def _joint(pairs: PairTable, judged: JudgeScores, rows: Sequence[NDArray[np.int64]]) -> JointFit:
    x = [standardised(pairs.candidate_length[index], pairs.baseline_length[index]) for index in rows]
    index = np.concatenate(rows)
    return fit_joint(
        np.concatenate(x),
        judged.score[index],
        pairs.cluster[index],
        pairs.language[index],
        items=pairs.clusters,
        languages=len(pairs.languages),
    )


def _describe(fit: LengthFit, name: str) -> str:
    if fit.overlap is Overlap.EMPTY:
        return f"fewer than {FEWEST} pairs with both lengths"
    if fit.overlap is Overlap.NONE:
        return f"no overlap of lengths: the candidate is longer on {fit.share_longer:.0%} of the prompts"
    if fit.overlap is Overlap.DEGENERATE:
        return "degenerate: the win rate itself"
    return f"{name}, extrapolated" if fit.overlap is Overlap.EXTRAPOLATED else name


def figures_of(rows: Sequence[NDArray[np.int64]], fits: Sequence[LengthFit], *, clusters: int) -> Figures:
    """Return the fits as figures.

    Args:
        rows: by fit, (n,) the cluster of each pair that was fitted.
        fits: one a language.
        clusters: number of clusters.
    """
    influences, shares = np.zeros((clusters, len(fits))), np.zeros((clusters, len(fits)))
    numbers = np.zeros(len(fits))
    for column, (cluster, fit) in enumerate(zip(rows, fits, strict=True)):
        if np.isfinite(fit.value):
            n = numbers[column] = len(cluster)
            influences[:, column] = np.bincount(cluster, fit.influences, clusters) * clusters / n
            shares[:, column] = np.bincount(cluster, minlength=clusters) / n
    resamples: Floats = np.stack([fit.resamples for fit in fits])
    return Figures(
        values=np.array([fit.value for fit in fits]),
        influences=influences,
        shares=shares,
        pairs=numbers,
        effective_pairs=numbers,
        resamples=resamples,
    )


BINS = 10


def length_bins(
    pairs: PairTable, judged: JudgeScores, settings: StatisticsSettings, *, bins: int = BINS
) -> list[LengthBin]:
    """Return the win rate in `bins` groups of pairs of equal size, from the relatively shortest answers on."""
    logs = log_length_ratio(pairs.candidate_length, pairs.baseline_length)
    known = np.flatnonzero(np.isfinite(logs + judged.score))
    if len(known) < 2 * bins:
        return []
    edges = np.quantile(logs[known], np.linspace(0, 1, bins + 1))
    bin_of = np.clip(np.searchsorted(edges, logs[known], side="right") - 1, 0, bins - 1)
    cell = pairs.cluster[known] * bins + bin_of
    shape = (pairs.clusters, bins)
    size = shape[0] * bins
    totals = np.bincount(cell, judged.score[known], size).astype(np.float64).reshape(shape)
    counts = np.bincount(cell, minlength=size).astype(np.float64).reshape(shape)
    figures = ratios([(totals, counts)], np.empty((pairs.clusters, 0)))[0]
    low, high = wilson_interval(figures, confidence_level=settings.confidence_level)
    return [
        LengthBin(
            judge=judged.judge,
            bin=index,
            ratio_low=float(np.exp(edges[index])),
            ratio_high=float(np.exp(edges[index + 1])),
            ratio=float(np.exp(logs[known][bin_of == index].mean())),
            win_rate=float(figures.values[index]),
            low=float(low[index]),
            high=float(high[index]),
            n=int(figures.pairs[index]),
        )
        for index in range(bins)
        if figures.pairs[index] > 0
    ]


def overlap_rows(pairs: PairTable, judge: str, controlled: LengthControlled) -> list[LengthOverlap]:
    """Return, by language, on which share of the prompts the candidate is longer and what follows from it."""
    return [
        LengthOverlap(
            judge=judge,
            language=language,
            share_longer=fit.share_longer,
            status=fit.overlap.value,
            pull=-fit.slope,
            pull_error=fit.slope_error,
        )
        for language, fit in zip(pairs.languages, controlled.fits, strict=True)
    ]
