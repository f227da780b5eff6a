"""Ratings where candidates met each other or several baselines: Bradley-Terry on the graph, with clustered errors.

The strengths are the maximum likelihood estimate on the runs' macro win rates, each weighing as many comparisons as it
has prompts. Their errors come from the prompts' influences through the likelihood's curvature (sandwich, as for
any M-estimator), so that prompts shared by runs, and the languages of one prompt, are counted once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import expit

from evalkit.statistics.figures import Figures
from evalkit.statistics.ratings import bradley_terry

Meeting = tuple[str, str]
"""(candidate, baseline)."""


def connected(meetings: Sequence[Meeting]) -> bool:
    """Return whether comparisons tie every player to every other."""
    if not meetings:
        return False
    reached = {meetings[0][0]}
    for _ in meetings:
        reached |= {name for pair in meetings if reached & set(pair) for name in pair}
    return reached == {name for pair in meetings for name in pair}


def strengths(meetings: Sequence[Meeting], win_rates: Figures, players: Sequence[str]) -> Figures:
    """Return each player's log strength relative to the first player.

    Args:
        meetings: (R,) who met whom.
        win_rates: (R,) the first one's macro win rate in each meeting.
        players: (M,) names; the first is the reference.
    """
    place = {name: index for index, name in enumerate(players)}
    count = win_rates.clusters.astype(np.float64)
    design = np.zeros((len(meetings), len(players)))
    points = np.zeros((len(players), len(players)))
    for index, (one, other) in enumerate(meetings):
        design[index, place[one]], design[index, place[other]] = 1, -1
        points[place[one], place[other]] += count[index] * win_rates.values[index]
        points[place[other], place[one]] += count[index] * (1 - win_rates.values[index])
    swept = bool(((win_rates.values <= 0) | (win_rates.values >= 1)).any())
    theta = bradley_terry(points, prior=1.0 if swept else 0.0).theta
    expected = expit(design @ theta)
    curvature = (design.T * (count * expected * (1 - expected))) @ design
    move = np.zeros((len(players), len(meetings)))
    move[1:] = np.linalg.pinv(curvature[1:, 1:]) @ (design[:, 1:].T * count)
    return _moved(win_rates, theta, move)


def _moved(win_rates: Figures, theta: np.ndarray, move: np.ndarray) -> Figures:
    """Return the figures theta, which a change of the win rates moves by `move` (M, R)."""
    used = (move != 0).astype(np.float64)
    used[0] = 1  # the reference has strength 0, and error 0, in all meetings
    shares = win_rates.shares @ used.T
    total = shares.sum(axis=0)
    return Figures(
        values=theta,
        influences=win_rates.influences @ move.T,
        shares=np.divide(shares, total, out=np.zeros(shares.shape), where=total > 0),
        pairs=used @ win_rates.pairs,
        effective_pairs=used @ win_rates.effective_pairs,
        resamples=theta[:, None] + move @ (win_rates.resamples - win_rates.values[:, None]),
    )
