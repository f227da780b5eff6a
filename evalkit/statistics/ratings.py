"""Ratings from comparisons: Bradley-Terry with ties as half a win, and Davidson's model of ties.

Where every candidate meets the baseline only (a star), Bradley-Terry is the logit of the win rate: other units, the
same order. The general graph is for data in which candidates meet each other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from evalkit.statistics.figures import Floats, divide


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratings:
    """Log strengths relative to the first player, who has 0."""

    theta: Floats
    """(M,) natural log of the strengths; NaN for players that nothing ties to the first."""
    standard_errors: Floats
    """(M,) under the model; they take comparisons as independent."""
    tie: float = math.nan
    """Davidson's nu; NaN in Bradley-Terry."""


def elo(theta: Floats) -> Floats:
    """Return ratings on the scale of chess: 400 points are odds of 10 to 1, and the first player has 1000."""
    return 1000 + 400 / math.log(10) * theta


def star(win_rates: Floats, n: Floats) -> Ratings:
    """Return the Bradley-Terry ratings of candidates that met the baseline only, relative to the baseline.

    Args:
        win_rates: (M,) wins + ties / 2.
        n: (M,) comparisons. A clean sweep gets one virtual tie, so that its rating is finite.
    """
    swept = (win_rates <= 0) | (win_rates >= 1)
    p = np.where(swept, (win_rates * n + 0.5) / (n + 1), win_rates)
    counts = np.where(swept, n + 1, n)
    return Ratings(theta=logit(p), standard_errors=divide(1, np.sqrt(counts * p * (1 - p))))


def bradley_terry(points: Floats, *, prior: float = 0.0, max_iterations: int = 200) -> Ratings:
    """Return the Bradley-Terry maximum likelihood estimate by Newton's method.

    Args:
        points: (M, M) points of row over column, ties as half a point to each.
        prior: virtual ties for each pair that met; 1 keeps clean sweeps finite.
        max_iterations: Newton steps at most.
    """
    played = points + points.T
    points = points + np.where(played > 0, prior / 2, 0)
    played = points + points.T
    reached = _connected(played)
    theta = np.zeros(len(points))
    free = reached[1:]
    information = np.zeros_like(played)
    for _ in range(max_iterations):
        expected = expit(theta[:, None] - theta[None, :])
        information = _laplacian(played * expected * (1 - expected))
        score = (points - played * expected).sum(axis=1)
        step = np.clip(np.linalg.lstsq(information[np.ix_(free, free)], score[free], rcond=None)[0], -2, 2)
        theta[free] += step
        if np.abs(step).max(initial=0) < 1e-12:  # noqa: PLR2004
            break
    errors = np.full(len(points), np.nan)
    errors[0] = 0
    errors[free] = np.sqrt(np.clip(np.diag(np.linalg.pinv(information[np.ix_(free, free)])), 0, None))
    known = np.isin(np.arange(len(points)), reached)
    return Ratings(theta=np.where(known, theta, np.nan), standard_errors=errors)


def davidson(wins: Floats, ties: Floats, *, max_iterations: int = 500) -> Ratings:
    """Return Davidson's estimate (1970): P(tie) is nu sqrt(pi_i pi_j) / (pi_i + pi_j + nu sqrt(pi_i pi_j)).

    Args:
        wins: (M, M) wins of row over column.
        ties: (M, M) ties, symmetric; nu is 0 where there are none.
        max_iterations: Newton steps at most.
    """
    if not ties.any():
        plain = bradley_terry(wins)
        return Ratings(theta=plain.theta, standard_errors=plain.standard_errors, tie=0.0)
    players = len(wins)
    played = wins + wins.T + ties
    points = (wins + ties / 2).sum(axis=1)
    reached = _connected(played)
    free = np.append(reached[1:], players)
    state = np.zeros(players + 1)
    curvature = np.eye(players + 1)
    for _ in range(max_iterations):
        win, tie = _davidson_probabilities(state)
        expected = win + tie / 2
        # Half the variance of the points of each comparison, and its covariance with the tie.
        variance = played * (win + tie / 4 - expected**2)
        bend = played * (tie / 2 - expected * tie)
        curvature = np.zeros((players + 1, players + 1))
        curvature[:players, :players] = _laplacian(variance)
        curvature[:players, players] = curvature[players, :players] = bend.sum(axis=1)
        curvature[players, players] = (played * tie * (1 - tie)).sum() / 2
        score = np.append(points - (played * expected).sum(axis=1), (ties - played * tie).sum() / 2)
        step = np.clip(np.linalg.lstsq(curvature[np.ix_(free, free)], score[free], rcond=None)[0], -1, 1)
        state[free] += step
        if np.abs(step).max() < 1e-13:  # noqa: PLR2004
            break
    errors = np.zeros(players + 1)
    errors[free] = np.sqrt(np.clip(np.diag(np.linalg.pinv(curvature[np.ix_(free, free)])), 0, None))
    known = np.isin(np.arange(players), reached)
    return Ratings(
        theta=np.where(known, state[:players], np.nan),
        standard_errors=np.where(known, errors[:players], np.nan),
        tie=float(np.exp(state[players])),
    )


def _davidson_probabilities(state: Floats) -> tuple[Floats, Floats]:
    """Return (M, M) probabilities that row beats column, and that they tie."""
    theta, log_nu = state[:-1], state[-1]
    half = (theta[:, None] - theta[None, :]) / 2
    up, down, tie = np.exp(half), np.exp(-half), np.exp(log_nu)
    total = up + down + tie
    return up / total, tie / total


def _laplacian(weights: Floats) -> Floats:
    """Return diag(row sums) - weights."""
    return np.asarray(np.diag(weights.sum(axis=1)) - weights)


def _connected(played: Floats) -> np.ndarray:
    """Return the players that comparisons tie to the first, who stands first."""
    reached = np.zeros(len(played), dtype=np.bool_)
    reached[:1] = True
    for _ in range(len(played)):
        reached |= (played[reached] > 0).any(axis=0)
    return np.flatnonzero(reached)
