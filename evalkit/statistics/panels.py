"""Several judges: how many votes they are worth, whether one favours its own kin, what asking twice would buy."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from evalkit.statistics.figures import Figures, Floats, Weights, mean


def error_correlation(scores: Floats, truth: Floats) -> float:
    """Return the mean correlation between the errors of two judges; NaN where it cannot be told.

    Args:
        scores: (J, n) of J judges.
        truth: (n,) labels of people, or another yardstick none of the judges made.
    """
    errors = scores - truth
    errors = errors[:, np.isfinite(errors).all(axis=0)]
    varied = errors[errors.std(axis=1) > 0] if errors.shape[1] > 1 else errors[:0]
    if len(varied) < 2:  # noqa: PLR2004
        return math.nan
    correlation = np.corrcoef(varied)
    return float(correlation[np.triu_indices(len(varied), 1)].mean())


def effective_judges(judges: int, correlation: float) -> float:
    """Return how many independent judges a panel is worth: J / (1 + (J - 1) rho), rho its errors' correlation."""
    spread = 1 + (judges - 1) * correlation
    return judges / spread if spread > 0 else float(judges)


def self_preference(
    own_by_own: Floats, other_by_own: Floats, own_by_neutral: Floats, other_by_neutral: Floats, weights: Weights
) -> Figures:
    """Return how much more a judge likes its kin than a neutral judge does: a difference of differences.

    [J's rate of its own family - J's rate of others] - [the same by the neutral judge], by prompt, so that what the
    family really does better cancels. One figure; its interval is `student_interval`.

    Args:
        own_by_own: (C,) scores of the judge's family by the judge.
        other_by_own: (C,) scores of another candidate by the judge.
        own_by_neutral: (C,) scores of the family by a judge of another family.
        other_by_neutral: (C,)
        weights: (C, B) prompt weights.
    """
    gap = (own_by_own - other_by_own) - (own_by_neutral - other_by_neutral)
    return mean(gap[:, None], weights)


@dataclass(frozen=True, slots=True, kw_only=True)
class VarianceComponents:
    """Where a score's variance comes from."""

    between: float
    """Between prompts: only more prompts lower it."""
    within: float
    """Between repeats of one prompt: asking again lowers it."""
    repeats: int

    @property
    def share_within(self) -> float:
        """Share of the variance of a single verdict that is the judge's own noise."""
        total = self.between + self.within
        return self.within / total if total > 0 else math.nan

    def standard_error(self, n: int, repeats: int) -> float:
        """Return the standard error of a mean over n prompts with this many repeats of each."""
        return math.sqrt(self.between / n + self.within / (n * repeats)) if n > 0 and repeats > 0 else math.nan

    @property
    def second_repeat_pays(self) -> bool:
        """Whether asking twice is worth it: more than a fifth of the variance is the judge's noise."""
        return self.share_within > 0.2  # noqa: PLR2004


def variance_components(scores: Floats) -> VarianceComponents:
    """Return the components of (n, R) scores, R repeats of n prompts; prompts with fewer than R are left out."""
    complete = scores[np.isfinite(scores).all(axis=1)]
    n, repeats = complete.shape
    if n < 2 or repeats < 2:  # noqa: PLR2004
        return VarianceComponents(between=math.nan, within=math.nan, repeats=repeats)
    within = float(complete.var(axis=1, ddof=1).mean())
    between = float(complete.mean(axis=1).var(ddof=1)) - within / repeats
    return VarianceComponents(between=max(between, 0.0), within=within, repeats=repeats)


def repeat_flip_rate(scores: Floats) -> float:
    """Return how often two repeats of one prompt name different winners, over (n, R) scores; NaN without two."""
    winners = np.sign(scores - 0.5)
    first, second = np.triu_indices(scores.shape[1], 1)
    pairs = winners[:, first] - winners[:, second]
    known = np.isfinite(pairs)
    return float((np.abs(pairs[known]) > 1).mean()) if known.any() else math.nan
