"""`evalkit show`: one example in full, both orders."""

from __future__ import annotations

import argparse
from typing import Any

from evalkit.cli.options import RUN, add
from evalkit.cli.output import console, print_json
from evalkit.cli.parser import declare


def add_parser(commands: Any, summary: str) -> None:
    """Declare the command."""
    parser = declare(commands, "show", summary, example="evalkit show reports/quickstart/sprout-2 de-123", handler=run)
    add(parser, RUN)
    parser.add_argument("example", metavar="ID", help="language and prompt id, as in the report's links: de-123")


def run(args: argparse.Namespace) -> int:
    """Print the example."""
    from evalkit.report.example_text import render_example
    from evalkit.report.examples import find
    from evalkit.run import read_run
    from evalkit.stored import find_run

    data = read_run(find_run(args.run))
    example = find(data, args.example)
    if args.json:
        print_json(
            {
                "id": example.id,
                "language": example.language,
                "outcome": example.outcome,
                "score": example.score,
                "reversed": example.flipped,
                "wrong_language": example.wrong,
                "baseline_wrong_language": example.baseline_wrong,
                "slices": list(example.slices),
                **example.text,
            }
        )
        return 0
    screen = console()
    for part in render_example(data, example):
        screen.print(part)
    return 0
