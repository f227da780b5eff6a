"""What every command shares: how to declare itself, and how to print for people and for programs."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from evalkit.records import json_ready

if TYPE_CHECKING:
    from rich.console import Console

_WIDTH = 120
"""Columns of tables in files and logs."""


def declare(
    commands: Any, name: str, summary: str, *, example: str, handler: Callable[[argparse.Namespace], int]
) -> argparse.ArgumentParser:
    """Add command `name` with its summary, an example and `--json`; return its parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[:1].upper()}{summary[1:]}.",
        epilog=f"example: {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document on standard output, nothing else")
    parser.set_defaults(handler=handler)
    return parser


def glossary(title: str, meanings: Mapping[str, str]) -> str:
    """Return words and what each means, one a line, for the end of a command's help."""
    width = max(map(len, meanings), default=0)
    return "\n".join([f"{title}:", *(f"  {word:{width}}  {meaning}" for word, meaning in meanings.items())])


def print_json(document: Any) -> None:
    """Print one JSON document; NaN becomes null."""
    sys.stdout.write(json.dumps(json_ready(document), ensure_ascii=False, indent=1, allow_nan=False) + "\n")


def console() -> Console:
    """Return the console for tables: as wide as the terminal, or wide enough where there is none."""
    from rich.console import Console

    return Console() if sys.stdout.isatty() else Console(width=_WIDTH)


def say(text: str) -> None:
    """Print a line of progress or advice for people, on standard error."""
    print(text, file=sys.stderr, flush=True)
