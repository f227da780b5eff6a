"""Panels, self-preference, repeats."""

from __future__ import annotations

import math

import numpy as np
import pytest

from evalkit.statistics.intervals import student_interval
from evalkit.statistics.panels import (
    effective_judges,
    error_correlation,
    repeat_flip_rate,
    self_preference,
    variance_components,
)


def test_judges_who_err_together_are_worth_fewer() -> None:
    rng = np.random.default_rng(0)
    truth, shared = rng.random(4000), rng.normal(size=4000)
    scores = truth + 0.6 * shared + 0.8 * rng.normal(size=(3, 4000))
    rho = error_correlation(scores, truth)
    assert rho == pytest.approx(0.36, abs=0.03)
    assert effective_judges(3, rho) == pytest.approx(3 / (1 + 2 * 0.36), abs=0.1)
    assert effective_judges(3, 0) == 3
    assert math.isnan(error_correlation(np.ones((2, 5)), np.ones(5)))


def test_self_preference_is_what_quality_does_not_explain() -> None:
    rng = np.random.default_rng(1)
    base = rng.random((4, 3000)) * 0.4
    own_by_own, other_by_own = base[0] + 0.3, base[1]
    own_by_neutral, other_by_neutral = base[2] + 0.2, base[3]
    figures = self_preference(own_by_own, other_by_own, own_by_neutral, other_by_neutral, np.empty((3000, 0)))
    low, high = student_interval(figures)
    assert 0 < low[0] < high[0] < 0.2
    assert figures.values[0] == pytest.approx(0.1, abs=0.02)


def test_variance_components_of_repeats() -> None:
    rng = np.random.default_rng(2)
    scores = rng.normal(scale=0.3, size=(3000, 1)) + rng.normal(scale=0.2, size=(3000, 3))
    parts = variance_components(scores)
    assert parts.between == pytest.approx(0.09, rel=0.1)
    assert parts.within == pytest.approx(0.04, rel=0.1)
    assert parts.second_repeat_pays
    assert parts.standard_error(500, 2) == pytest.approx(math.sqrt(parts.between / 500 + parts.within / 1000))
    assert math.isnan(variance_components(np.ones((5, 1))).within)


def test_repeats_that_name_different_winners() -> None:
    scores = np.array([[1.0, 0.0], [1.0, 1.0], [0.5, 0.0], [np.nan, 1.0]])
    assert repeat_flip_rate(scores) == pytest.approx(1 / 3)
    assert math.isnan(repeat_flip_rate(np.ones((3, 1))))
