"""Differences between languages."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from evalkit.statistics.figures import mean, prompt_weights
from evalkit.statistics.parity import between_variance, effect, equality_test, parity
from tests.statistics.conftest import Golden, weights_of


def test_golden(golden: Callable[[str], Golden]) -> None:
    case = golden("macro_cluster")
    figures = mean(np.array(case.inputs["scores"]), weights_of(case.inputs["index_matrix"]))
    found = parity(figures)
    case.same("tau2", between_variance(figures))
    case.same("worst_language", found.worst_value)
    case.same("best_language", found.best_value)
    case.same("gap", found.gap)
    case.same("worst_language_band", [found.worst_low, found.worst_high])


def draw(rng: np.random.Generator, rates: np.ndarray, n: int = 300) -> np.ndarray:
    return (rng.random((n, len(rates))) < rates).astype(float)


def test_with_no_true_differences_the_bands_hold_the_worst_and_the_gap_may_be_nothing() -> None:
    rng = np.random.default_rng(0)
    covered = gap = 0.0
    p_values, spreads = [], []
    for _ in range(60):
        weights = prompt_weights(300, n_resamples=300, rng=rng)
        found = parity(mean(draw(rng, np.full(12, 0.6)), weights))
        covered += found.worst_low <= 0.6 <= found.worst_high and found.gap_low == 0
        gap += found.gap / 60
        p_values.append(found.p_value)
        spreads.append(found.spread)
    assert covered >= 54
    assert gap > 0.06
    assert np.mean(spreads) < 0.012
    assert np.mean(np.array(p_values) < 0.05) < 0.15


def test_true_differences_are_found() -> None:
    rng = np.random.default_rng(1)
    rates = np.linspace(0.4, 0.7, 12)
    weights = prompt_weights(800, n_resamples=500, rng=rng)
    found = parity(mean(draw(rng, rates, n=800), weights))
    assert found.p_value < 1e-6
    assert (found.worst, found.best) in {(0, 11), (0, 10), (1, 11), (1, 10)}
    assert found.gap_low > 0.1
    assert found.gap_low < 0.3 < found.gap_high
    assert found.spread == pytest.approx(rates.std(ddof=1), abs=0.03)


def test_degenerate_languages_have_defined_parity() -> None:
    weights = prompt_weights(20, n_resamples=50, rng=np.random.default_rng(2))
    assert parity(mean(np.ones((20, 3)), weights)).gap == 0
    assert parity(mean(np.ones((20, 1)), weights)).worst == -1
    few = parity(mean(np.random.default_rng(3).random((4, 9)), weights[:4]))
    assert np.isnan(few.p_value)


def test_equality_test_is_the_paired_t_test_for_two_languages() -> None:
    from scipy.stats import ttest_rel

    scores = np.random.default_rng(4).random((50, 2))
    assert equality_test(mean(scores)) == pytest.approx(ttest_rel(scores[:, 0], scores[:, 1]).pvalue, abs=1e-9)


def test_effects_pair_prompts_that_both_sets_have() -> None:
    """Mother tongue: local prompts in their language against the same prompts in English."""
    rng = np.random.default_rng(5)
    ease = rng.normal(size=400)
    local, english = (expit_like(ease + shift + rng.normal(size=400) * 0.3) for shift in (0.0, 0.5))
    paired = effect(local, english, np.empty((400, 0)))
    apart = effect(
        np.concatenate([local, np.full(400, np.nan)]),
        np.concatenate([np.full(400, np.nan), english]),
        np.empty((800, 0)),
    )
    assert paired.values[0] == pytest.approx(apart.values[0])
    assert paired.standard_errors[0] < 0.7 * apart.standard_errors[0]


def expit_like(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))
