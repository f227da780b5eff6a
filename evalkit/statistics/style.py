"""The win rate at equal style: a second method, after Arena-Hard's style control.

A Bradley-Terry model in which every language has its own strength and one response to style is shared by all: length
as (candidate - baseline) / (candidate + baseline), and the density of headings, lists and bold text. Where length
control and this disagree much, neither should be leaned on.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from evalkit.statistics import logistic
from evalkit.statistics.figures import Floats

FEATURES = ("length", "headings", "lists", "bold")
_HEADING = re.compile(r"\n#{1,6} ")
_LIST = re.compile(r"\n[ \t]*(?:[-*+•]|\d{1,3}[.)]) ")
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


def markdown(text: str) -> tuple[int, int, int]:
    """Return how many headings, list items and bold spans a text has."""
    lines = f"\n{text}"
    return len(_HEADING.findall(lines)), len(_LIST.findall(lines)), text.count("**") // 2


def style_differences(candidate: Sequence[str], baseline: Sequence[str]) -> Floats:
    """Return (n, 4) differences of style: of length relative to the sum, of Markdown per thousand characters."""
    rows = []
    for one, other in zip(candidate, baseline, strict=True):
        a, b = len(one), len(other)
        densities = [
            1000 * (mine / max(a, 1) - theirs / max(b, 1))
            for mine, theirs in zip(markdown(one), markdown(other), strict=True)
        ]
        rows.append([(a - b) / max(a + b, 1), *densities])
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(FEATURES))


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
