"""Does the judging measure answers at all?"""

from __future__ import annotations

import numpy as np
import pytest

from evalkit.statistics.validity import CONSTANT, derangement, length_pull, repeated_share, shuffled_control


@pytest.mark.parametrize("n", [2, 3, 50])
def test_in_the_shuffled_control_nobody_keeps_their_answer(n: int) -> None:
    order = derangement(n, np.random.default_rng(0))
    assert sorted(order) == list(range(n))
    assert not (order == np.arange(n)).any()


def test_shuffled_answers_must_lose() -> None:
    assert shuffled_control(np.array([0.0] * 48 + [0.5, 1.0])).passed
    assert not shuffled_control(np.array([0.0, 1.0] * 25)).passed
    assert not shuffled_control(np.array([np.nan])).passed


def test_constant_answers_are_seen() -> None:
    assert repeated_share(["a", "b", "a", "c"]) == 0.5
    assert repeated_share([f"answer {index}" for index in range(50)]) < CONSTANT
    assert repeated_share(["same"] * 10) == 1
    assert np.isnan(repeated_share([]))


def test_the_pull_of_length_has_its_sign_and_size() -> None:
    rng = np.random.default_rng(1)
    x = np.tanh(rng.normal(size=3000))
    language, item = np.repeat([0, 1], 1500), np.tile(np.arange(1500), 2)
    slope = np.where(language == 0, 1.2, 0.0)
    scores = (rng.random(3000) < 1 / (1 + np.exp(slope * x))).astype(float)
    likes, neutral = length_pull(x, scores, item, language, items=1500, languages=2)
    assert likes.slope == pytest.approx(1.2, abs=3 * likes.standard_error)
    assert abs(neutral.slope) < 3 * neutral.standard_error
    assert likes.points == pytest.approx(0.25 * likes.slope * np.tanh(1), rel=0.1)
