"""How long a leaderboard of 200 candidates × 23 languages × 500 prompts takes, from run directories to files.

    python benchmarks/leaderboard.py [--candidates 200] [--prompts 500]

The run directories are made up (results.json and outcomes.parquet, both as `evalkit run` writes them).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from evalkit.calls import Message
from evalkit.records import Outcome, Prompt, RunData
from evalkit.run import RESULTS_SCHEMA, write_run
from evalkit.settings import StatisticsSettings
from evalkit.statistics.analysis import analyze

TAGS = "ar cs de el en es fa fr he hi id it ja ko nl pl pt ro ru tr uk vi zh".split()  # noqa: SIM905


def make_runs(folder: Path, *, candidates: int, prompts: int) -> None:
    """Write one run directory a candidate."""
    rng = np.random.default_rng(0)
    asked = tuple(
        Prompt(id=str(number), language=tag, messages=(Message("user", f"{tag} {number}"),))
        for tag in TAGS
        for number in range(prompts)
    )
    difficulty = rng.normal(0, 0.2, prompts)
    settings = StatisticsSettings(n_resamples=0)
    for index in range(candidates):
        chance = np.clip(0.3 + 0.4 * index / candidates + np.tile(difficulty, len(TAGS)), 0.02, 0.98)
        scores = rng.binomial(2, chance) / 2
        outcomes = tuple(
            Outcome(judge="judge", prompt_id=p.id, language=p.language, score=s, forward=s, swapped=s)
            for p, s in zip(asked, scores.tolist(), strict=True)
        )
        name = f"model-{index:03d}"
        own: dict[str, tuple[()]] = {"candidate_answers": (), "baseline_answers": (), "verdicts": ()}
        found = analyze(
            prompts=asked, **own, candidate_checks={}, baseline_checks={}, outcomes=outcomes, settings=settings,
            candidate=name, baseline="base",
        )  # fmt: skip
        suite = {
            "name": "made",
            "title": "Made up",
            "languages": TAGS,
            "prompts": dict.fromkeys(TAGS, prompts),
            "digest": "d",
        }
        head = {"schema": RESULTS_SCHEMA, "suite": suite, "candidate": name, "baseline": "base", "failures": []}
        judges = [{"name": "judge", "model": "made/up", "definition_sha256": "t"}]
        run = RunData(
            suite={}, candidate=name, baseline="base", prompts=(), **own, candidate_checks={}, baseline_checks={},
            outcomes=outcomes, failures=(), results={**head, "judges": judges, **found.to_results()},
        )  # fmt: skip
        write_run(folder / name, run)
        (folder / name / "run.yaml").unlink()


def main() -> None:
    """Make the runs, time the command, print seconds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--candidates", type=int, default=200)
    parser.add_argument("--prompts", type=int, default=500)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_runs(folder / "runs", candidates=args.candidates, prompts=args.prompts)
        output = folder / "public" / "index.html"
        command = [
            sys.executable,
            "-m",
            "evalkit.cli.main",
            "leaderboard",
            str(folder / "runs"),
            "--output",
            str(output),
        ]
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - start
        size = output.stat().st_size / 1e6
        shape = f"{args.candidates} candidates x {len(TAGS)} languages x {args.prompts} prompts"
        print(f"{shape}: {seconds:.1f} s, {size:.1f} MB")


if __name__ == "__main__":
    main()
