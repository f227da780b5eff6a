"""`evalkit plan`: what a run would ask, and what to expect of it."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from evalkit.cli.job import add_options, job_from
from evalkit.cli.output import console, print_json
from evalkit.cli.parser import declare

if TYPE_CHECKING:
    from rich.table import Table

    from evalkit.stages.plan import Plan


def add_parser(commands: Any, summary: str) -> None:
    """Declare the command."""
    example = "evalkit plan xalpaca --candidate openai/gpt-4.1-mini --languages de,fr"
    add_options(declare(commands, "plan", summary, example=example, handler=run))


def run(args: argparse.Namespace) -> int:
    """Print the plan."""
    import asyncio

    from evalkit.pipeline import plan

    found = asyncio.run(plan(job_from(args)))
    if args.json:
        print_json({**asdict(found), "cost": found.cost})
    else:
        _show(found)
    return 0


def _show(plan: Plan) -> None:
    screen = console()
    for note in plan.notes:
        screen.print(f"note: {note}", highlight=False)
    screen.print(_table(plan))
    widths = sorted(plan.half_width.values())
    if widths:
        low, high = 100 * widths[0], 100 * widths[-1]
        each = f"±{low:.1f}" if high - low < 0.05 else f"±{low:.1f} to ±{high:.1f}"  # noqa: PLR2004
        screen.print(
            f"95 % interval to expect: {each} points per language, ±{100 * plan.macro_half_width:.1f} for their mean"
        )


def _table(plan: Plan) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for title in ("stage", "model", "language"):
        table.add_column(title)
    for title in ("requests", "in the ledger", "input tokens", "output tokens", "US dollars"):
        table.add_column(title, justify="right")
    for row in plan.rows:
        numbers = (row.requests, row.held, row.input_tokens, row.output_tokens)
        table.add_row(row.stage, row.model, row.language, *(f"{number:,}" for number in numbers), _dollars(row.cost))
    sums = [
        sum(getattr(row, name) for row in plan.rows) for name in ("requests", "held", "input_tokens", "output_tokens")
    ]
    table.add_section()
    table.add_row("all", "", "", *(f"{number:,}" for number in sums), _dollars(plan.cost))
    return table


def _dollars(cost: float | None) -> str:
    return "unknown" if cost is None else f"{cost:,.2f}"
