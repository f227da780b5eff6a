"""Correcting a cheap judge with a few labels of people (or of a dear judge) on randomly drawn prompts.

The cheap judge's score on every prompt lowers the variance of the labels' mean and cannot bias it, however wrong the
judge is: the better it follows the labels, the fewer are needed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri, stdtrit

from evalkit.statistics.figures import Floats

MIN_LABELS = 50
"""Below this many labels a language borrows the pooled slope."""
_POINTLESS = 0.3
"""Correlation below which the judge saves less than 5 % of the width: report the labels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """A mean of labels, sharpened by the judge."""

    value: float
    """NaN where there is no label."""
    low: float
    high: float
    standard_error: float
    slope: float
    """lambda, how much of the judge's deviation is believed."""
    correlation: float
    """Of judge and label on the labelled prompts; NaN where one does not vary."""
    labelled: int
    total: int
    """Prompts the judge scored, the labelled ones included."""
    labels_only: float
    """The plain mean of the labels."""
    labels_only_error: float

    @property
    def worthwhile(self) -> bool:
        """Whether the judge follows the labels well enough to save labels."""
        return self.correlation >= _POINTLESS


def regression_estimate(
    labels: Floats,
    judged: Floats,
    judged_unlabelled: Floats,
    *,
    slope: float | None = None,
    confidence_level: float = 0.95,
) -> Corrected:
    """Return the two-phase regression estimate of the labels' mean over all prompts (Cochran 1977, section 12.6).

    Equal to PPI++ that uses all prompts. Labelled prompts must be a simple random sample.

    Args:
        labels: (n,) in [0, 1].
        judged: (n,) the judge's scores of the same prompts.
        judged_unlabelled: (m,) the judge's scores of all other prompts.
        slope: lambda from elsewhere (pooled languages); estimated where None.
        confidence_level: of the t interval.
    """
    both = np.isfinite(labels) & np.isfinite(judged)
    y, f = labels[both], judged[both]
    everyone = np.concatenate([f, judged_unlabelled[np.isfinite(judged_unlabelled)]])
    n, total = len(y), len(everyone)
    spread = f.var(ddof=1) if n > 1 else 0.0
    covariance = float(np.cov(y, f)[0, 1]) if n > 1 else 0.0
    own = min(max(covariance / spread, 0.0), 1.0) if spread > 0 else 0.0
    believed = own if slope is None else slope
    if n == 0:
        return _undefined(total, believed)
    value = y.mean() + believed * (everyone.mean() - f.mean())
    variance = y.var(ddof=1) if n > 1 else math.nan
    error = math.nan
    if n > 2:  # noqa: PLR2004
        residual = y - believed * f
        rest = np.square(residual - residual.mean()).sum() / (n - 2)
        error = math.sqrt(max(rest * (1 / n - 1 / total) + variance / total, 0.0))
    half = stdtrit(max(n - 2, 1), (1 + confidence_level) / 2) * error
    norm = math.sqrt(spread * variance) if n > 1 else 0.0
    return Corrected(
        value=float(value),
        low=float(value - half),
        high=float(value + half),
        standard_error=error,
        slope=believed,
        correlation=covariance / norm if norm > 0 else math.nan,
        labelled=n,
        total=total,
        labels_only=float(y.mean()),
        labels_only_error=math.sqrt(variance / n) if n > 1 else math.nan,
    )


def greg_by_language(
    labels: Mapping[str, Floats], judged: Mapping[str, Floats], *, confidence_level: float = 0.95
) -> tuple[dict[str, Corrected], Corrected]:
    """Return the correction of every language, and the mean over languages (stratified).

    Args:
        labels: by language, (n,) aligned with `judged`, NaN where a prompt has no label.
        judged: by language, (n,) the judge's scores of all prompts.
        confidence_level: of the intervals.

    A language with fewer than 50 labels uses the slope of all languages pooled within language.
    """
    pooled = _pooled_slope(labels, judged)
    found: dict[str, Corrected] = {}
    for language, scores in judged.items():
        own = labels.get(language, np.full(len(scores), np.nan))
        has = np.isfinite(own) & np.isfinite(scores)
        borrowed = pooled if has.sum() < MIN_LABELS else None
        found[language] = regression_estimate(
            own[has], scores[has], scores[~has], slope=borrowed, confidence_level=confidence_level
        )
    return found, _stratified(list(found.values()), confidence_level)


def ppi(
    labels: Floats,
    judged: Floats,
    judged_unlabelled: Floats,
    *,
    slope: float | None = None,
    confidence_level: float = 0.95,
) -> Corrected:
    """Return the prediction-powered mean (Angelopoulos et al. 2023; PPI++ where the slope is tuned).

    Args:
        labels: (n,).
        judged: (n,) the judge's scores of the labelled prompts.
        judged_unlabelled: (N,) its scores of the others.
        slope: lambda; 1 is plain PPI, None tunes it.
        confidence_level: of the normal interval, which is too narrow for few labels: prefer `regression_estimate`.
    """
    n, others = len(labels), len(judged_unlabelled)
    if n < 2 or others < 2:  # noqa: PLR2004
        return _undefined(n + others, math.nan)
    everyone = np.concatenate([judged, judged_unlabelled])
    spread = everyone.var(ddof=1)
    covariance = float(((labels - labels.mean()) * (judged - judged.mean())).mean())
    tuned = min(max(covariance / ((1 + n / others) * spread), 0.0), 1.0) if spread > 0 else 0.0
    believed = tuned if slope is None else slope
    residual = labels - believed * judged
    value = believed * judged_unlabelled.mean() + residual.mean()
    error = math.sqrt(believed**2 * judged_unlabelled.var() / others + residual.var() / n)
    half = float(ndtri((1 + confidence_level) / 2)) * error
    norm = math.sqrt(labels.var() * judged.var())
    return Corrected(
        value=float(value),
        low=float(value - half),
        high=float(value + half),
        standard_error=error,
        slope=believed,
        correlation=covariance / norm if norm > 0 else math.nan,
        labelled=n,
        total=n + others,
        labels_only=float(labels.mean()),
        labels_only_error=float(labels.std(ddof=1) / math.sqrt(n)),
    )


def _pooled_slope(labels: Mapping[str, Floats], judged: Mapping[str, Floats]) -> float:
    """Return the slope within languages, clipped to [0, 1]; 0 where the judge never varies."""
    top = bottom = 0.0
    for language, scores in judged.items():
        own = labels.get(language, np.full(len(scores), np.nan))
        has = np.isfinite(own) & np.isfinite(scores)
        if has.any():
            centred = scores[has] - scores[has].mean()
            top += float(centred @ own[has])
            bottom += float(centred @ centred)
    return min(max(top / bottom, 0.0), 1.0) if bottom > 0 else 0.0


def _stratified(parts: list[Corrected], confidence_level: float) -> Corrected:
    """Return the equally weighted mean of the languages that have labels; labels are drawn apart in each."""
    known = [part for part in parts if math.isfinite(part.value)]
    if not known:
        return _undefined(sum(part.total for part in parts), math.nan)
    L = len(known)
    error = math.sqrt(sum(part.standard_error**2 for part in known)) / L
    labelled = sum(part.labelled for part in known)
    value = sum(part.value for part in known) / L
    half = float(stdtrit(max(labelled - 2 * L, 1), (1 + confidence_level) / 2)) * error
    return Corrected(
        value=value,
        low=value - half,
        high=value + half,
        standard_error=error,
        slope=sum(part.slope for part in known) / L,
        correlation=float(np.mean([part.correlation for part in known])),
        labelled=labelled,
        total=sum(part.total for part in known),
        labels_only=sum(part.labels_only for part in known) / L,
        labels_only_error=math.sqrt(sum(part.labels_only_error**2 for part in known)) / L,
    )


def _undefined(total: int, slope: float) -> Corrected:
    nan = math.nan
    return Corrected(
        value=nan,
        low=nan,
        high=nan,
        standard_error=nan,
        slope=slope,
        correlation=nan,
        labelled=0,
        total=total,
        labels_only=nan,
        labels_only_error=nan,
    )
