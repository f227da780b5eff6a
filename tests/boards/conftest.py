"""Made-up runs whose true win rate is known: prompts are easy or hard for every candidate alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from evalkit.exchange.assemble import Import, Judgment, prompt, run_of
from evalkit.exchange.reader import FieldReader
from evalkit.records import Order
from evalkit.results import RunData
from evalkit.run import write_run
from evalkit.stages.import_runs import finished

Make = Callable[..., RunData]
Write = Callable[..., Path]


@cache
def made_run(
    candidate: str,
    *,
    lift: float = 0.0,
    prompts: int = 60,
    languages: Sequence[str] = ("de", "fr"),
    baseline: str = "base",
    judges: Sequence[str] = ("judge",),
    suite: str = "made",
    seed: int = 0,
) -> RunData:
    """Return a run; `lift` moves the candidate's chance to win on every prompt."""
    rng = np.random.default_rng(seed)
    difficulty = rng.normal(0, 0.25, prompts)
    judgments = []
    for language in languages:
        for number in range(prompts):
            asked = prompt(str(number), language, f"{language} {number}?", category=("chat", "code")[number % 2])
            chance = np.clip(0.5 + lift + difficulty[number], 0.02, 0.98)
            judgments += [
                Judgment(
                    where=f"{number}",
                    prompt=asked,
                    judge=judge,
                    preference=float(rng.random() < chance),
                    order=order,
                    candidate_text=f"Eine Antwort von mir, Nummer {number}.",
                    baseline_text=f"Eine andere Antwort, Nummer {number}, die länger ist.",
                )
                for judge in judges
                for order in Order
            ]
    source = Import(
        format="table", suite=suite, candidate=candidate, baseline=baseline, judgments=judgments, both_orders=True
    )
    return finished(run_of(source, FieldReader()), command=("evalkit",), now="2026-01-01T00:00:00+00:00")


@pytest.fixture(scope="session")
def make() -> Make:
    return made_run


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a made run and return its folder; `bare` leaves results.json alone."""

    def _write(candidate: str, *, folder: str | None = None, bare: bool = False, **how: object) -> Path:
        place = tmp_path / (folder or candidate)
        write_run(place, made_run(candidate, **how))  # type: ignore[arg-type]
        (place / "report.html").write_text("<!doctype html>")
        if bare:
            for path in place.iterdir():
                if path.name != "results.json":
                    path.unlink()
        return place

    return _write
