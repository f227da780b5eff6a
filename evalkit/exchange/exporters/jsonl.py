"""jsonl: one tidy table as JSON lines, for programs: `--table` says which."""

from __future__ import annotations

from evalkit.exchange.exporters import Export, ExportOptions
from evalkit.exchange.exporters._pairs import json_lines
from evalkit.exchange.exporters._tidy import tidy
from evalkit.results import RunData


def write(run: RunData, options: ExportOptions) -> Export:
    """Return the one file.

    Raises:
        InputError: there is no such table, or it is empty.
    """
    return tidy(run, options, json_lines)
