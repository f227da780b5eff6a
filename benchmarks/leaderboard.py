"""How long a leaderboard of 200 candidates × 23 languages × 500 prompts takes, from run directories to files.

    python benchmarks/leaderboard.py [--candidates 200] [--prompts 500]

The votes are made up; `evalkit import table` makes run directories of them, so that they are always as evalkit writes
them. Only `evalkit leaderboard` is timed.
"""

from __future__ import annotations

import contextlib
import csv
import io
import tempfile
import time
from pathlib import Path

import numpy as np
from _support import LANGUAGES, parser, python

from evalkit.cli.main import main as evalkit

WINNERS = np.array(["baseline", "tie", "candidate"])


def write_votes(path: Path, *, chances: np.ndarray, rng: np.random.Generator) -> None:
    """Write one vote on each prompt in each language; `chances` are the candidate's, one a prompt."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["language", "id", "winner"])
        for language in LANGUAGES:
            words = WINNERS[rng.binomial(2, chances)]
            table.writerows((language, number, word) for number, word in enumerate(words))


def make_runs(folder: Path, *, candidates: int, prompts: int) -> None:
    """Write one run directory a candidate."""
    rng = np.random.default_rng(0)
    difficulty = rng.normal(0, 0.2, prompts)
    votes = folder / "votes.csv"
    for index in range(candidates):
        chances = np.clip(0.3 + 0.4 * index / candidates + difficulty, 0.02, 0.98)
        write_votes(votes, chances=chances, rng=rng)
        name = f"model-{index:03d}"
        names = ["--suite", "made", "--candidate", name, "--baseline", "base"]
        with contextlib.redirect_stdout(io.StringIO()):
            code = evalkit(["import", "table", str(votes), "--out", str(folder / "runs" / name), *names])
        assert code == 0, f"evalkit import ended with {code}"


def main() -> None:
    """Make the runs, time the command, print seconds."""
    args = parser(__doc__, candidates=(200, 4), prompts=(500, 20)).parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_runs(folder, candidates=args.candidates, prompts=args.prompts)
        output = folder / "public" / "index.html"
        start = time.perf_counter()
        python("-m", "evalkit.cli.main", "leaderboard", folder / "runs", "--output", output)
        seconds = time.perf_counter() - start
        size = output.stat().st_size / 1e6
    shape = f"{args.candidates} candidates x {len(LANGUAGES)} languages x {args.prompts} prompts"
    print(f"{shape}: {seconds:.1f} s, {size:.1f} MB")


if __name__ == "__main__":
    main()
