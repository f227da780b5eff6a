"""`evalkit doctor`: what this machine has, what a run would miss."""

from __future__ import annotations

import argparse
from typing import Any

from evalkit.cli.output import declare


def add_parser(commands: Any, summary: str) -> None:
    """Declare the command."""
    declare(commands, "doctor", summary, example="evalkit doctor", handler=run)


def run(args: argparse.Namespace) -> int:
    """Print what was found."""
    return 0
