"""AlpacaEval 2's published figures, from its annotations alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit.statistics.alpaca import alpaca_controlled
from tests.statistics.alpacaeval import AlpacaFigures, GamedRows, alpaca_eval


@pytest.fixture(scope="module")
def folder(shared: Path) -> Path:
    return shared / "alpacaeval2"


@pytest.fixture(scope="module")
def published(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "leaderboard.csv").set_index("model")


@pytest.fixture(scope="module")
def inputs(folder: Path) -> dict[str, pd.DataFrame]:
    annotations = pd.read_parquet(folder / "annotations.parquet")
    return {str(model): rows.sort_values("row") for model, rows in annotations.groupby("model")}


def reproduce(folder: Path, rows: pd.DataFrame, penalty: float | None) -> AlpacaFigures:
    difficulty = pd.read_csv(folder / "instruction_difficulty.csv")["instruction_difficulty"].to_numpy()
    gamed = pd.read_parquet(folder / "gamed_surrogate.parquet")
    return alpaca_eval(
        rows["preference"].replace(0.0, 1.5).to_numpy() - 1,
        baseline_length=rows["len_1"].to_numpy(float),
        candidate_length=rows["len_2"].to_numpy(float),
        difficulty=difficulty[rows["row"].to_numpy()],
        gamed=GamedRows(
            standardised_difference=gamed["std_delta_len"].to_numpy(),
            difficulty=gamed["instruction_difficulty"].to_numpy(),
            preference=gamed["preference"].to_numpy(),
        ),
        penalty=penalty,
    )


def test_the_length_control_alpaca_is_that_formula_without_its_penalty() -> None:
    rng = np.random.default_rng(0)
    baseline = rng.integers(200, 2000, 300).astype(float)
    candidate = baseline * np.exp(rng.normal(0.2, 0.5, 300))
    difficulty = rng.normal(0, 1, 300)
    scores = rng.random(300) * 0.5 + 0.5 * (candidate > baseline)
    lengths = {"baseline_length": baseline, "candidate_length": candidate}
    theirs = alpaca_eval(scores, **lengths, difficulty=difficulty, penalty=1e6)
    ours = alpaca_controlled(
        scores, candidate=candidate, baseline=baseline, weights=np.empty((300, 0)), difficulty=difficulty
    )
    assert ours.value == pytest.approx(theirs.length_controlled, abs=2e-3)


@pytest.mark.realdata
def test_figures_at_the_published_penalty(
    folder: Path, published: pd.DataFrame, inputs: dict[str, pd.DataFrame]
) -> None:
    """Win rate and standard error are the published ones; the length-controlled figure to a thousandth of a point."""
    assert len(inputs) == 28
    errors = []
    for model, rows in inputs.items():
        official = published.loc[model]
        found = reproduce(folder, rows, float(official["lc_C"]))
        assert 100 * found.win_rate == pytest.approx(official["win_rate"], abs=1e-6)
        assert 100 * found.standard_error == pytest.approx(official["standard_error"], abs=1e-6)
        errors.append(abs(100 * found.length_controlled - official["length_controlled_winrate"]))
    assert np.median(errors) < 0.001
    assert max(errors) < 0.2


@pytest.mark.realdata
def test_figures_with_the_penalty_cross_validated(
    folder: Path, published: pd.DataFrame, inputs: dict[str, pd.DataFrame]
) -> None:
    errors = [
        abs(100 * reproduce(folder, rows, None).length_controlled - published.loc[model, "length_controlled_winrate"])
        for model, rows in inputs.items()
    ]
    assert max(errors) < 0.2
    assert np.mean(errors) < 0.03
