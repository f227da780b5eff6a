"""csv: one tidy table as CSV, for spreadsheets: `--table` says which."""

from __future__ import annotations

from evalkit.exchange.exporters import Export, ExportOptions
from evalkit.exchange.exporters._tidy import csv_bytes, tidy
from evalkit.results import RunData


def write(run: RunData, options: ExportOptions) -> Export:
    """Return the one file.

    Raises:
        InputError: there is no such table, or it is empty.
    """
    return tidy(run, options, csv_bytes)
