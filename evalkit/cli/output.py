"""What every command shares: how to declare itself, and how to print for people and for programs."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable
from typing import Any

Commands = "argparse._SubParsersAction[argparse.ArgumentParser]"


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


def print_json(document: Any) -> None:
    """Print one JSON document; NaN becomes null."""
    sys.stdout.write(json.dumps(plain(document), ensure_ascii=False, indent=1, allow_nan=False) + "\n")


def plain(value: Any) -> Any:
    """Return the value with NaN and infinities as None, so that any JSON reader accepts it."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def say(text: str) -> None:
    """Print a line of progress or advice for people, on standard error."""
    print(text, file=sys.stderr, flush=True)
