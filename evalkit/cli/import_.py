"""`evalkit import`: make a run from another tool's annotations."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from evalkit.cli.output import console, declare, print_json
from evalkit.errors import InputError, Problem
from evalkit.exchange import IMPORTERS


def add_parser(commands: Any, summary: str) -> None:
    """Declare the command."""
    example = "evalkit import alpaca-eval results/my-model/annotations.json --out reports/alpaca/my-model"
    parser = declare(commands, "import", summary, example=example, handler=run)
    parser.add_argument("format", metavar="FORMAT", choices=list(IMPORTERS), help=", ".join(IMPORTERS))
    parser.add_argument("files", nargs="+", metavar="FILE", help="files of that format; {language} stands for a tag")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="run directory; several runs go below it"
    )
    parser.add_argument("--suite", metavar="NAME", help="name of the suite: runs are comparable within one")
    parser.add_argument("--candidate", metavar="NAME", help="which model is the candidate, or what to call it")
    parser.add_argument("--baseline", metavar="NAME", help="which model is the baseline, or what to call it")
    parser.add_argument("--judge", metavar="NAME", help="what to call the judge")
    parser.add_argument("--language", default="en", metavar="TAG", help="language of rows without one (default: en)")
    parser.add_argument(
        "--columns",
        action="append",
        default=[],
        metavar="OURS=THEIRS",
        help="table: what they call a column; again for more",
    )


def run(args: argparse.Namespace) -> int:
    """Write the runs; print where they are and what they say."""
    from evalkit.exchange.rows import Options
    from evalkit.stages.imported import import_runs

    options = Options(
        candidate=args.candidate,
        baseline=args.baseline,
        judge=args.judge,
        language=args.language,
        suite=args.suite,
        columns=dict(map(_renaming, args.columns)),
    )
    command = ["evalkit", "import", args.format, *args.files]
    runs = import_runs(args.format, args.files, args.out, options, command=command)
    if args.json:
        print_json({"runs": [{"directory": str(folder), "results": data.results} for folder, data in runs]})
        return 0
    from evalkit.report.terminal import render_terminal

    screen = console()
    for folder, data in runs:
        for part in render_terminal(data.results):
            screen.print(part)
        screen.print(f"\nreport: {folder / 'report.html'}", soft_wrap=True, highlight=False)
    return 0


def _renaming(words: str) -> tuple[str, str]:
    ours, equals, theirs = words.partition("=")
    if not (ours and equals and theirs):
        raise InputError(
            Problem(where="--columns", message=f"{words!r} is not OURS=THEIRS", hint="winner=preferred_model")
        )
    return ours, theirs
