"""Length control of real models: near the published figures, with errors that the bootstrap confirms."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit.statistics.figures import prompt_weights
from evalkit.statistics.length_fit import Overlap, length_controlled

pytestmark = pytest.mark.realdata


def test_minimal_length_control_of_real_models(shared: Path) -> None:
    """Without difficulty and gamed rows it is within 2 points of the published where lengths overlap.

    Most of these models write far less than the baseline: there it must say so, and further off it may be.
    """
    folder = shared / "alpacaeval2"
    published = pd.read_csv(folder / "leaderboard.csv").set_index("model")
    weights = prompt_weights(805, n_resamples=1000, rng=np.random.default_rng(0))
    off: dict[Overlap, list[float]] = {overlap: [] for overlap in Overlap}
    ratios = []
    for model, rows in pd.read_parquet(folder / "annotations.parquet").groupby("model"):
        known = rows[rows["preference"].notna()]
        fit = length_controlled(
            known["preference"].replace(0.0, 1.5).to_numpy() - 1,
            candidate=known["len_2"].to_numpy(float),
            baseline=known["len_1"].to_numpy(float),
            weights=weights[: len(known)],
        )
        off[fit.overlap].append(abs(100 * fit.value - published.loc[model, "length_controlled_winrate"]))
        if np.isfinite(fit.value):
            ratios.append(fit.influences.std(ddof=1) / np.sqrt(len(known)) / fit.resamples.std(ddof=1))
    assert max(off[Overlap.OK]) < 2
    assert len(off[Overlap.EXTRAPOLATED]) > 10
    assert np.isnan(off[Overlap.NONE]).all()
    assert 0.9 < min(ratios) <= np.median(ratios) < 1.05
