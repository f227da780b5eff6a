"""Fractional logistic regression by Newton's method: one fit, its influences, and thousands of refits at once.

The response may be any value in [0, 1] (Papke and Wooldridge 1996), so standard errors come from influences (a
sandwich), never from the information matrix alone.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.special import expit

from evalkit.statistics.figures import Floats, Weights, divide

_LIMIT = 30.0
"""Linear predictors beyond this are probabilities of 0 or 1 in every respect."""
_HAIR = 1e-6
"""Added to the diagonal of every Hessian, so that empty and collinear resamples stay solvable; moves no maximum."""
_PRODUCT = 250_000
"""Multiplications in one product of matrices: arrays stay in cache, and linear algebra starts no threads for so few."""


def fit(
    X: Floats,
    y: Floats,
    *,
    weights: Floats | None = None,
    ridge: Floats | None = None,
    start: Floats | None = None,
    score: Floats | None = None,
    tolerance: float = 1e-12,
    max_iterations: int = 100,
) -> Floats:
    """Return the (k,) coefficients that maximise the penalised quasi-likelihood, by damped Newton.

    Args:
        X: (n, k) covariates.
        y: (n,) responses in [0, 1].
        weights: (n,) of the rows.
        ridge: (k,) penalties, the log-likelihood less sum(ridge * beta**2) / 2.
        start: (k,) where to begin.
        score: (k,) added to the score: rows known only by their sufficient statistics.
        tolerance: on the score, per row.
        max_iterations: Newton steps at most.
    """
    n, k = X.shape
    w = np.ones(n) if weights is None else weights
    penalty = np.zeros(k) if ridge is None else ridge
    extra = np.zeros(k) if score is None else score
    beta = np.zeros(k) if start is None else start.copy()

    def objective(b: Floats) -> float:
        eta = X @ b
        return float(w @ (y * eta - np.logaddexp(0, eta)) - penalty @ np.square(b) / 2 + extra @ b)

    best = objective(beta)
    for _ in range(max_iterations):
        mu = expit(X @ beta)
        gradient = X.T @ (w * (y - mu)) - penalty * beta + extra
        if np.abs(gradient).max(initial=0) < tolerance * n:
            break
        hessian = (X * (w * mu * (1 - mu))[:, None]).T @ X + np.diag(penalty)
        step = np.linalg.lstsq(hessian, gradient, rcond=None)[0]
        length = 1.0
        while (reached := objective(beta + length * step)) < best - 1e-12 * abs(best) and length > 1e-6:  # noqa: PLR2004
            length /= 2
        beta, best = beta + length * step, reached
        if np.abs(beta).max() > 1e3:  # noqa: PLR2004 - separated: the likelihood has no maximum
            break
    return beta


def refit(
    X: Floats,
    y: Floats,
    weights: Weights,
    *,
    start: Floats,
    ridge: Floats,
    centre: Floats | None = None,
    steps: int = 12,
) -> Floats:
    """Return (B, k) coefficients under each column of the weights, all refitted together from `start`.

    Newton steps go on until they are too small to matter in the weights' dtype; three to six do, one is not enough.

    Args:
        X: (n, k).
        y: (n,).
        weights: (n, B).
        start: (k,) the fit under equal weights.
        ridge: (k,).
        centre: (k,) what the ridge draws the coefficients to; 0 where None.
        steps: Newton steps at most.
    """
    k, resamples, dtype = X.shape[1], weights.shape[1], weights.dtype
    upper = np.triu_indices(k)
    design = X.astype(dtype)
    products = np.ascontiguousarray((X[:, upper[0]] * X[:, upper[1]]).T.astype(dtype))
    mu = expit(X @ start)
    # The first step shares its probabilities between all resamples, so it costs two products of matrices only.
    first_score = (X * (y - mu)[:, None]).T.astype(dtype)
    first_hessian = (X[:, upper[0]] * X[:, upper[1]] * (mu * (1 - mu))[:, None]).T.astype(dtype)
    response = (X * y[:, None]).T.astype(dtype)
    beta = np.repeat(start[:, None], resamples, axis=1)
    drawn = np.zeros((k, 1)) if centre is None else centre[:, None]
    # Newton squares the error: after a step this small the next would change nothing.
    enough = np.sqrt(np.finfo(dtype).eps)
    for chunk in _chunks(resamples, products.size):
        w, b = np.ascontiguousarray(weights[:, chunk]), beta[:, chunk]
        observed = response @ w
        for step in range(steps):
            if step == 0:
                score, hessian = first_score @ w, first_hessian @ w
            else:
                mu_b = _expit(design @ b.astype(dtype))
                weighted = w * mu_b
                score = observed - design.T @ weighted
                np.subtract(1, mu_b, out=mu_b)
                weighted *= mu_b
                hessian = products @ weighted
            change = _newton_step(score.astype(np.float64), hessian.astype(np.float64), b - drawn, ridge)
            b += change
            if np.abs(change).max(initial=0) < enough:
                break
    return beta.T


def _chunks(resamples: int, size: int) -> Iterator[slice]:
    """Cut the resamples into runs whose product with a matrix of `size` numbers is small."""
    step = max(16, _PRODUCT // max(size, 1))
    return (slice(begin, begin + step) for begin in range(0, resamples, step))


def _expit(eta: Weights) -> Weights:
    """Turn linear predictors into probabilities in place."""
    np.clip(eta, -_LIMIT, _LIMIT, out=eta)
    np.negative(eta, out=eta)
    np.exp(eta, out=eta)
    eta += 1
    return np.reciprocal(eta, out=eta)


def resampled_means(X: Floats, beta: Floats, weights: Weights) -> Floats:
    """Return (B,) weighted means of expit(X @ beta) with the (B, k) coefficients; NaN where a resample is empty."""
    design, sums = X.astype(weights.dtype), np.empty(weights.shape[1])
    for chunk in _chunks(len(sums), X.size):
        probabilities = _expit(design @ beta[chunk].T.astype(weights.dtype))
        probabilities *= weights[:, chunk]
        sums[chunk] = probabilities.sum(axis=0)
    return divide(sums, weights.sum(axis=0, dtype=np.float64))


def _newton_step(score: Floats, packed: Floats, beta: Floats, ridge: Floats) -> Floats:
    """Return (k, m) Newton steps of m resamples, bounded; beta is relative to what the ridge draws it to."""
    k = len(beta)
    packed[np.cumsum([0, *range(k, 1, -1)])] += (ridge + _HAIR)[:, None]
    return np.clip(_solve(packed, score - ridge[:, None] * beta), -5, 5)


def _solve(packed: Floats, right: Floats) -> Floats:
    """Solve m symmetric positive definite systems of size k at once, by elimination; pivots are kept positive.

    Args:
        packed: (k (k + 1) / 2, m) upper triangles, row by row.
        right: (k, m).
    """
    k = len(right)
    rows, columns = np.triu_indices(k)
    left = {(int(i), int(j)): packed[index] for index, (i, j) in enumerate(zip(rows, columns, strict=True))}
    x = list(right)
    for i in range(k):
        left[i, i] = np.maximum(left[i, i], _HAIR)
        for j in range(i + 1, k):
            factor = left[i, j] / left[i, i]
            x[j] = x[j] - factor * x[i]
            for other in range(j, k):
                left[j, other] = left[j, other] - factor * left[i, other]
    for i in reversed(range(k)):
        for j in range(i + 1, k):
            x[i] = x[i] - left[i, j] * x[j]
        x[i] = x[i] / left[i, i]
    return np.stack(x)


def influences(X: Floats, y: Floats, X0: Floats, beta: Floats, *, ridge: Floats) -> Floats:
    """Return (n,) influences, mean 0, of mean(expit(X0 @ beta)), the mean probability at counterfactual covariates."""
    mu, p0 = expit(X @ beta), expit(X0 @ beta)
    hessian = (X * (mu * (1 - mu))[:, None]).T @ X + np.diag(ridge)
    slope = (X0 * (p0 * (1 - p0))[:, None]).mean(axis=0)
    direction = np.linalg.lstsq(hessian, slope, rcond=None)[0]
    raw = p0 - p0.mean() + len(y) * ((X @ direction) * (y - mu))
    # The ridge leaves the scores a small mean.
    return np.asarray(raw - raw.mean())
