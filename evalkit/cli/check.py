"""`evalkit check`: gate a release: pass (exit 0), fail (1) or cannot tell (4)."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from evalkit.cli.output import declare, print_json
from evalkit.errors import InputError, Problem

METRICS = ("win_rate", "length_controlled_win_rate")
NEEDS = "--max-regression holds it against a stored run, --min-win-rate against a threshold"


def add_parser(commands: Any, summary: str) -> None:
    """Declare the command."""
    example = "evalkit check reports/xalpaca/new --against reports/xalpaca/old --max-regression 3"
    parser = declare(commands, "check", summary, example=example, handler=run)
    parser.add_argument("run", type=Path, metavar="RUN", help="the run directory of the candidate to release")
    parser.add_argument("--against", type=Path, metavar="RUN", help="a stored run on the same suite and baseline")
    parser.add_argument(
        "--max-regression", type=float, metavar="POINTS", help="largest loss of win rate that is allowed (default: 3)"
    )
    parser.add_argument("--min-win-rate", type=_rate, metavar="P", help="smallest win rate allowed: 0.5 or 50%%")
    parser.add_argument("--per-language", action="store_true", help="every language must pass, not only their mean")
    parser.add_argument("--metric", choices=METRICS, default=METRICS[0], help="for --min-win-rate (default: win_rate)")
    parser.add_argument("--judge", metavar="NAME", help="which judge (default: the panel, or the only one)")
    parser.add_argument("--junit", type=Path, metavar="FILE", help="write JUnit XML")
    parser.add_argument("--allow-mixed", action="store_true", help="go on although the runs are not comparable")


def run(args: argparse.Namespace) -> int:
    """Print the answer; exit with it."""
    from evalkit.boards.gate_text import document, junit, markdown, sentence
    from evalkit.files import write_all
    from evalkit.stages.boards import check_run
    from evalkit.stored import find_run

    if args.max_regression is not None and args.against is None:
        hint = "--against RUN names the stored run"
        raise InputError(Problem(where="--max-regression", message="there is no run to regress from", hint=hint))
    if args.against is None and args.min_win_rate is None:
        raise InputError(Problem(where="check", message="nothing to compare with", hint=f"--against RUN: {NEEDS}"))
    points = 3.0 if args.max_regression is None else args.max_regression
    if not 0 <= points <= 100:  # noqa: PLR2004  percentage points
        raise InputError(Problem(where="--max-regression", message=f"{points:g} is outside 0..100 points"))
    gate = check_run(
        find_run(args.run),
        against=args.against and find_run(args.against),
        max_regression=points / 100,
        min_win_rate=args.min_win_rate,
        metric=args.metric,
        judge=args.judge,
        per_language=args.per_language,
        allow_mixed=args.allow_mixed,
    )
    if args.junit:
        write_all({args.junit: junit(gate)}, option="--junit")
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(markdown(gate) + "\n")
    if args.json:
        print_json(document(gate))
    else:
        print(sentence(gate))
        print(markdown(gate).partition("\n\n")[2].partition("\n\n")[2], end="")
    return gate.answer.exit_code


def _rate(text: str) -> float:
    """Read 0.5 or 50%."""
    try:
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        value = -1.0
    if not 0 < value < 1:
        message = f"{text!r} is not between 0 and 1: write 0.5 or 50%"
        raise argparse.ArgumentTypeError(message)
    return value
