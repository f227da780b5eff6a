"""The win rate at equal style: a second method, after Arena-Hard's style control.

A Bradley-Terry model in which every language has its own strength and one response to style is shared by all: length
as (candidate - baseline) / (candidate + baseline), and the density of headings, lists and bold text. Where length
control and this disagree much, neither should be leaned on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from evalkit.statistics import logistic
from evalkit.statistics.figures import Figures, Floats, divide
from evalkit.statistics.pairs import PairTable
from evalkit.statistics.scores import JudgeScores

_RIDGE = 0.01
"""A hair of penalty on the responses to style, so that a feature nobody uses has the response 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StyleFit:
    """Win rates at equal style."""

    values: Floats
    """(G,) one a group (language); NaN for a group without pairs."""
    influences: Floats
    """(n, G) of mean 0 over all pairs."""
    effects: Floats
    """(k,) what one standard deviation more of a feature adds to the log odds of winning."""
    effect_errors: Floats
    """(k,) sandwich standard errors, pairs taken as independent."""


def style_controlled(scores: Floats, differences: Floats, group: NDArray[np.int64], *, groups: int) -> StyleFit:
    """Fit the model and return each group's win rate where all differences of style are 0.

    Args:
        scores: (n,) in [0, 1].
        differences: (n, k) of style, candidate less baseline; standardised here, not centred.
        group: (n,) index of the language.
        groups: number of languages, G.
    """
    n, k = differences.shape
    spread = differences.std(axis=0) if n else np.zeros(k)
    standard = np.where(spread > 0, differences / np.where(spread > 0, spread, 1), 0.0)
    strength = np.zeros((n, groups))
    strength[np.arange(n), group] = 1
    design = np.concatenate([standard, strength], axis=1)
    ridge = np.concatenate([np.full(k, _RIDGE), np.full(groups, 1e-4)])
    if not n:
        empty = np.full(k, np.nan)
        return StyleFit(
            values=np.full(groups, np.nan), influences=np.zeros((0, groups)), effects=empty, effect_errors=empty
        )
    beta = logistic.fit(design, scores, ridge=ridge)
    mu = expit(design @ beta)
    hessian = (design * (mu * (1 - mu))[:, None]).T @ design + np.diag(ridge)
    pulls = n * (design * (scores - mu)[:, None]) @ np.linalg.inv(hessian)
    p = expit(beta[k:])
    present = strength.any(axis=0)
    influences = np.where(present, pulls[:, k:] * p * (1 - p), 0.0)
    return StyleFit(
        values=np.where(present, p, np.nan),
        influences=influences - influences.mean(axis=0),
        effects=beta[:k],
        effect_errors=np.sqrt(np.square(pulls[:, :k]).sum(axis=0)) / n,
    )


def control_style(pairs: PairTable, judged: JudgeScores) -> Figures:
    """Return the win rate at equal style of every language; answers in the wrong language are left out.

    Not resampled: the interval rests on the influences. Where all pairs are won, or lost, the figure is that rate and
    the model's error, which is then next to nothing, is not believed.

    Args:
        pairs: the run's pairs.
        judged: one judge's scores.
    """
    candidate_wrong, baseline_wrong = pairs.wrong()
    usable = np.isfinite(judged.score) & np.isfinite(pairs.style).all(axis=1) & ~candidate_wrong & ~baseline_wrong
    index = np.flatnonzero(usable)
    L, C, n = len(pairs.languages), pairs.clusters, len(index)
    fit = style_controlled(judged.score[index], pairs.style[index], pairs.language[index], groups=L)
    numbers = np.bincount(pairs.language[index], minlength=L).astype(np.float64)
    cells = pairs.cluster[index] * L + pairs.language[index]
    counts = np.bincount(cells, minlength=C * L).astype(np.float64).reshape(C, L)
    influences = np.stack([np.bincount(pairs.cluster[index], column, C) for column in fit.influences.T], axis=1)
    rates = divide(np.bincount(pairs.language[index], judged.score[index], L), numbers)
    swept = (rates == 0) | (rates == 1)
    return Figures(
        values=np.where(swept, rates, fit.values),
        influences=np.where(swept, 0.0, influences * C / max(n, 1)),
        shares=counts / np.maximum(numbers, 1),
        pairs=numbers,
        effective_pairs=numbers,
        resamples=np.empty((L, 0)),
    )
