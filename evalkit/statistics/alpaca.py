"""AlpacaEval 2's length control, for reproduction (Dubois et al. 2024, arXiv:2404.04475).

Its formula: score ~ tanh(standardised length difference) + difficulty of the prompt + constant, an L1 penalty chosen
by cross-validation, and two "gamed" variants of the baseline (concise, verbose) as extra rows of small weight. What it
does badly is kept here on purpose and nowhere else: difficulty looked up by row, errors half their size left out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import expit

from evalkit.errors import InputError, Problem
from evalkit.statistics.figures import Floats, Weights
from evalkit.statistics.length_fit import (
    LengthFit,
    Overlap,
    Prior,
    counterfactual,
    length_controlled,
    overlap_of,
    standardised,
)

GAMED_WEIGHT = 0.2 / 2
"""Weight of a gamed row: 0.2 shared by the two gamed models."""
PENALTIES = tuple(np.logspace(-4, 4, 10).tolist())
"""Inverse strengths of the penalty that cross-validation tries."""
_FOLDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class GamedRows:
    """The rows of the gamed baselines that regularise every fit."""

    standardised_difference: Floats
    """(m,) (baseline length - gamed length) / sd."""
    difficulty: Floats
    preference: Floats
    """(m,) in [0, 1]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlpacaFigures:
    """What AlpacaEval's leaderboard says of a model, as fractions."""

    win_rate: float
    standard_error: float
    length_controlled: float
    coefficients: Floats
    """Length, difficulty, constant."""
    penalty: float
    """Inverse strength of the L1 penalty that was used."""


def alpaca_eval(
    preference: Floats,
    *,
    baseline_length: Floats,
    candidate_length: Floats,
    difficulty: Floats,
    gamed: GamedRows | None = None,
    penalty: float | None = None,
) -> AlpacaFigures:
    """Return AlpacaEval 2's figures of one model, by liblinear as it does (needs scikit-learn).

    Args:
        preference: (n,) for the candidate in [0, 1], in the published row order; NaN rows keep their length and
            difficulty but are not fitted.
        baseline_length: (n,) code points.
        candidate_length: (n,)
        difficulty: (n,) by row position to reproduce published figures, by prompt to be right.
        gamed: the gamed rows.
        penalty: inverse strength of the L1 penalty; chosen by cross-validation where None.

    Raises:
        InputError: scikit-learn is not installed.
    """
    difference = baseline_length - candidate_length
    x = np.tanh(difference / difference.std(ddof=1))
    rows = np.column_stack([x, difficulty, np.ones(len(x))])
    known = np.isfinite(preference)
    X, y, weight = rows[known], preference[known], np.ones(int(known.sum()))
    if gamed is not None:
        constant = np.zeros(len(gamed.preference))
        first = np.column_stack([np.tanh(gamed.standardised_difference), gamed.difficulty, constant])
        X, y = np.vstack([first, X]), np.concatenate([gamed.preference, y])
        weight = np.concatenate([np.full(len(first), GAMED_WEIGHT), weight])
    chosen = _cross_validated(X, y, weight) if penalty is None else penalty
    coefficients = _fit(X, y, weight, chosen)
    rows[:, 0] = 0
    scored = preference[known]
    return AlpacaFigures(
        win_rate=float(scored.mean()),
        standard_error=float(scored.std(ddof=1) / np.sqrt(len(scored))),
        length_controlled=float(expit(rows @ coefficients).mean()),
        coefficients=coefficients,
        penalty=chosen,
    )


def _fit(X: Floats, y: Floats, weight: Floats, penalty: float) -> Floats:
    """Fit by liblinear: each row stands once as a win of weight y and once as a loss of weight 1 - y.

    At the solver's default tolerance, as published: run to convergence, figures move by up to 0.013 points.
    """
    model = _logistic_regression(C=penalty)
    labels = np.repeat([1, 0], len(y))
    model.fit(np.vstack([X, X]), labels, sample_weight=np.concatenate([weight * y, weight * (1 - y)]))
    return np.asarray(model.coef_[0], dtype=np.float64)


def _cross_validated(X: Floats, y: Floats, weight: Floats) -> float:
    """Return the penalty with the smallest weighted log loss over five folds, a row and its copy in the same fold."""
    from sklearn.model_selection import GroupKFold

    group = np.tile(np.arange(len(y)), 2)
    losses = np.zeros((_FOLDS, len(PENALTIES)))
    for fold, (train, test) in enumerate(GroupKFold(_FOLDS).split(group, groups=group)):
        kept, held = (np.unique(group[part]) for part in (train, test))
        for index, penalty in enumerate(PENALTIES):
            beta = _fit(X[kept], y[kept], weight[kept], penalty)
            p = np.clip(expit(X[held] @ beta), 1e-15, 1 - 1e-15)
            losses[fold, index] = -np.mean(weight[held] * (y[held] * np.log(p) + (1 - y[held]) * np.log1p(-p)))
    return float(PENALTIES[int(losses.mean(axis=0).argmin())])


def _logistic_regression(**settings: Any) -> Any:
    try:
        import sklearn
        from sklearn.linear_model import LogisticRegression
    except ImportError as missing:
        hint = "pip install scikit-learn, or take `length_control: minimal`"
        message = "AlpacaEval's own length control needs scikit-learn"
        raise InputError(Problem(message=message, hint=hint)) from missing
    major, minor = (int(part) for part in sklearn.__version__.split(".")[:2])
    lasso = {"l1_ratio": 1.0} if (major, minor) >= (1, 8) else {"penalty": "l1"}
    return LogisticRegression(solver="liblinear", fit_intercept=False, random_state=123, **lasso, **settings)


def alpaca_controlled(
    scores: Floats,
    *,
    candidate: Floats,
    baseline: Floats,
    weights: Weights,
    difficulty: Floats | None = None,
) -> LengthFit:
    """Return one language's figure in a run: AlpacaEval's formula without penalty and without overlap rule.

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
    fitted = counterfactual(np.column_stack(columns), scores, weights=weights, prior=Prior(precision=0.0))
    return replace(fitted, share_longer=share, overlap=overlap)
