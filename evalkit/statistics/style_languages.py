"""Style control of all languages of a run by one judge, as one object of figures."""

from __future__ import annotations

import numpy as np

from evalkit.statistics.figures import Figures, divide
from evalkit.statistics.style import style_controlled
from evalkit.statistics.table import Judged, Pairs


def control_style(pairs: Pairs, judged: Judged) -> Figures:
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
