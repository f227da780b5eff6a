"""`evalkit analyze`: estimate again from a run directory alone."""

from __future__ import annotations

import argparse
from typing import Any

from evalkit.cli.options import RUN, add
from evalkit.cli.output import console, print_json
from evalkit.cli.parser import declare


def add_parser(commands: Any, summary: str) -> None:
    """Declare the command."""
    parser = declare(commands, "analyze", summary, example="evalkit analyze reports/quickstart/sprout-2", handler=run)
    add(parser, RUN)


def run(args: argparse.Namespace) -> int:
    """Write results.json and report.html again."""
    from evalkit.pipeline import analyze
    from evalkit.report.text_report import render_terminal
    from evalkit.stored import find_run

    data = analyze(find_run(args.run))
    if args.json:
        print_json(data.results.to_json())
        return 0
    screen = console()
    for part in render_terminal(data.results):
        screen.print(part)
    return 0
