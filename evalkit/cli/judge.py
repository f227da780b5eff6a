"""`evalkit judge`: the answers and verdicts of a run, into the ledger."""

from __future__ import annotations

import argparse
from typing import Any

from evalkit.cli.job import add_options, job_from
from evalkit.cli.output import declare, print_json, say


def add_parser(commands: Any, summary: str) -> None:
    """Declare the command."""
    example = "evalkit judge quickstart"
    add_options(declare(commands, "judge", summary, example=example, handler=run))


def run(args: argparse.Namespace) -> int:
    """Ask; print how much."""
    from evalkit.cli.run import ended, execute
    from evalkit.pipeline import Until

    finished = execute(job_from(args, until=Until.VERDICTS), quiet=args.json)
    if args.json:
        print_json({"asked": finished.asked, "reused": finished.reused, "paid": finished.paid})
    else:
        say(f"{finished.asked:,} requests answered now; {finished.reused:,} were in the ledger already")
    return ended(finished)
