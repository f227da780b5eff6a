"""AlpacaEval 2's length control, for reproduction (Dubois et al. 2024; `glm_winrate.py`)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from evalkit.statistics.figures import Floats, Weights
from evalkit.statistics.length_control import (
    LengthFit,
    Overlap,
    counterfactual,
    length_controlled,
    overlap_of,
    standardised,
)


def alpaca_controlled(
    scores: Floats,
    *,
    candidate: Floats,
    baseline: Floats,
    weights: Weights,
    difficulty: Floats | None = None,
) -> LengthFit:
    """Return AlpacaEval's figure for one language of a run: its formula without penalty and without overlap rule.

    Args:
        scores: (n,) in [0, 1].
        candidate: (n,) lengths.
        baseline: (n,) lengths.
        weights: (n, B) prompt weights.
        difficulty: (n,) AlpacaEval's instruction difficulty, where it is known for every prompt.
    """
    share, overlap = overlap_of(candidate, baseline, scores)
    if overlap in {Overlap.EMPTY, Overlap.DEGENERATE}:
        return length_controlled(scores, candidate=candidate, baseline=baseline, weights=weights)
    columns = [standardised(candidate, baseline), *([] if difficulty is None else [difficulty]), np.ones(len(scores))]
    fitted = counterfactual(np.column_stack(columns), scores, weights=weights, ridge=0.0)
    return replace(fitted, share_longer=share, overlap=overlap)
