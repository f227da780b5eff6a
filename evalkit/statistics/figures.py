"""The core object: figures, and what each cluster of prompts contributes to each of them.

A cluster is a prompt with all its translations (and with its duplicates). Every estimator linearises: a figure's
error is the mean of its influences, so standard errors, covariances and every contrast (macro mean, difference,
weights, groups) follow from one matrix, with the correlation between languages, models and judges kept
(docs/statistics.md, "One core").
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Weights = NDArray[np.floating[Any]]
"""Prompt weights (C, B): how often each of C clusters is drawn in each of B resamples."""
_BATCH = 16
"""Tables resampled by one product of matrices."""


def divide(top: Any, bottom: Any, *, otherwise: Any = np.nan) -> Floats:
    """Return top / bottom where bottom is positive, else `otherwise`; never warns."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.where(np.asarray(bottom) > 0, np.true_divide(top, bottom), otherwise)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """K figures over C clusters of prompts, with B resamples of each."""

    values: Floats
    """(K,) the figures; NaN where undefined."""
    influences: Floats
    """(C, K), columns of mean 0; a cluster without data contributes 0."""
    shares: Floats
    """(C, K) share of each cluster in the figure; columns sum to 1, or are 0 where the figure is undefined."""
    pairs: Floats
    """(K,) observations behind the figure."""
    effective_pairs: Floats
    """(K,) equally weighted, independent observations that would do the same (Kish)."""
    resamples: Floats
    """(K, B) the figures under each column of the prompt weights; B may be 0."""

    @property
    def clusters(self) -> NDArray[np.int64]:
        """(K,) clusters that take part."""
        return np.asarray(np.count_nonzero(self.shares, axis=0), dtype=np.int64)

    @property
    def effective_clusters(self) -> Floats:
        """(K,) equally weighted clusters that would do the same (Kish); NaN where undefined."""
        return divide(1, np.square(self.shares).sum(axis=0))

    @property
    def standard_errors(self) -> Floats:
        """(K,) cluster standard errors, ddof = 1 over the clusters that take part; NaN below two of them."""
        taking_part = self.clusters
        squares = np.square(self.influences).sum(axis=0) / max(len(self.influences), 1) ** 2
        correction = divide(taking_part, taking_part - 1)
        return np.where(np.isfinite(self.values), np.sqrt(squares * correction), np.nan)

    @property
    def covariance(self) -> Floats:
        """(K, K) covariance of the figures."""
        clusters = len(self.influences)
        return np.asarray(self.influences.T @ self.influences / max(clusters * (clusters - 1), 1))

    def contrast(self, weights: Floats) -> Figures:
        """Return the weighted sums of the figures.

        Args:
            weights: (K,) or (K, M); a figure of weight 0 is left out even where it is undefined.
        """
        columns = weights[:, None] if weights.ndim == 1 else weights
        used = columns != 0
        undefined = (used & ~np.isfinite(self.values)[:, None]).any(axis=0) | ~used.any(axis=0)
        spread = divide(np.square(columns), self.effective_pairs[:, None], otherwise=0).sum(axis=0)
        absent = ~np.isfinite(self.resamples)
        resamples = columns.T @ np.where(absent, 0, self.resamples)
        if absent.any():
            resamples[used.T.astype(np.int64) @ absent > 0] = np.nan
        return Figures(
            values=np.where(undefined, np.nan, np.nan_to_num(self.values, posinf=0, neginf=0) @ columns),
            influences=self.influences @ columns,
            shares=np.where(undefined, 0, self.shares @ np.abs(columns)),
            pairs=self.pairs @ used,
            effective_pairs=divide(1, spread, otherwise=0),
            resamples=resamples,
        )

    def select(self, index: NDArray[Any] | list[int]) -> Figures:
        """Return some of the figures, in the order of `index`."""
        return Figures(
            values=self.values[index],
            influences=self.influences[:, index],
            shares=self.shares[:, index],
            pairs=self.pairs[index],
            effective_pairs=self.effective_pairs[index],
            resamples=self.resamples[index],
        )


def join(*parts: Figures) -> Figures:
    """Return all figures side by side; all parts must rest on the same clusters and resamples."""
    return Figures(
        values=np.concatenate([part.values for part in parts]),
        influences=np.concatenate([part.influences for part in parts], axis=1),
        shares=np.concatenate([part.shares for part in parts], axis=1),
        pairs=np.concatenate([part.pairs for part in parts]),
        effective_pairs=np.concatenate([part.effective_pairs for part in parts]),
        resamples=np.concatenate([part.resamples for part in parts]),
    )


def ratios(tables: Sequence[tuple[Floats, Floats]], weights: Weights, *, pooled: bool = False) -> list[Figures]:
    """Return sum(totals) / sum(counts) of each table, by column: means over pairs, with clusters of any size.

    Args:
        tables: (totals, counts), each (C, L): the sum of each cluster's values, and how many values that are.
        weights: (C, B) prompt weights.
        pooled: whether a last column follows for all columns together (micro).
    """
    from evalkit.statistics.resampling import resampled_sums

    found = []
    for batch in _batches(tables):
        sums = resampled_sums(np.stack([part for table in batch for part in table], axis=1), weights)
        if pooled:
            sums = np.concatenate([sums, sums.sum(axis=1, keepdims=True)], axis=1)
        for index, table in enumerate(batch):
            totals, counts = (_with_sum(part) for part in table) if pooled else table
            found.append(_ratio(totals, counts, divide(sums[2 * index], sums[2 * index + 1])))
    return found


def _batches(tables: Sequence[tuple[Floats, Floats]]) -> Iterator[list[tuple[Floats, Floats]]]:
    rest = iter(tables)
    while batch := list(islice(rest, _BATCH)):
        yield batch


def _with_sum(columns: Floats) -> Floats:
    return np.concatenate([columns, columns.sum(axis=1, keepdims=True)], axis=1)


def _ratio(totals: Floats, counts: Floats, resamples: Floats) -> Figures:
    number = counts.sum(axis=0)
    defined = number > 0
    values = divide(totals.sum(axis=0), number)
    per_pair = divide(len(totals), number, otherwise=0)
    return Figures(
        values=values,
        influences=(totals - counts * np.where(defined, values, 0)) * per_pair,
        shares=counts / np.where(defined, number, 1),
        pairs=number,
        effective_pairs=number,
        resamples=resamples,
    )


def mean(scores: Floats, weights: Weights | None = None) -> Figures:
    """Return the mean of each column of (C, K) scores, one row a cluster, NaN where a cell is missing."""
    present = np.isfinite(scores)
    if weights is None:
        weights = np.empty((len(scores), 0))
    return ratios([(np.where(present, scores, 0), present.astype(np.float64))], weights)[0]
