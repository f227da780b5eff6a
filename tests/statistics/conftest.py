"""Golden cases: inputs and expected values that two or more other tools agree on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

GOLDEN = Path(__file__).resolve().parent.parent / "golden" / "golden.json"


class Golden:
    """One case."""

    def __init__(self, case: dict[str, Any]) -> None:
        self.inputs: dict[str, Any] = case["inputs"]
        self.expected: dict[str, Any] = case["expected"]
        self.tolerance: float = case["tolerance"]

    def same(self, name: str, value: Any) -> None:
        """Assert that `value` is the expected one, to the case's tolerance."""
        np.testing.assert_allclose(value, self.expected[name], rtol=0, atol=self.tolerance, err_msg=name)


@pytest.fixture(scope="session")
def cases() -> dict[str, dict[str, Any]]:
    return {case["id"]: case for case in json.loads(GOLDEN.read_text("utf-8"))["cases"]}


@pytest.fixture
def golden(cases: dict[str, dict[str, Any]]) -> Callable[[str], Golden]:
    return lambda name: Golden(cases[name])


def weights_of(index: Any) -> np.ndarray:
    """Prompt weights (C, B) of a (B, C) matrix of drawn indices."""
    drawn = np.asarray(index)
    return np.stack([np.bincount(row, minlength=drawn.shape[1]) for row in drawn], axis=1).astype(np.float64)
