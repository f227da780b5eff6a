"""`evalkit judge`: the answers and verdicts of a run, into the ledger."""

from __future__ import annotations

import argparse
from typing import Any

from evalkit.cli.job import add_options
from evalkit.cli.parser import declare


def add_parser(commands: Any, summary: str) -> None:
    """Declare the command."""
    example = "evalkit judge quickstart"
    add_options(declare(commands, "judge", summary, example=example, handler=run))


def run(args: argparse.Namespace) -> int:
    """Ask; print how much."""
    from evalkit.cli.run import run_part

    return run_part(args, "verdicts")
