"""One file a format: its name is the format's, its first line the help, `write(run, options)` returns an `Export`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

TABLES = ("estimates", "outcomes", "verdicts", "counts")
"""Tables that csv, jsonl and parquet can hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOptions:
    """What to export, where a format leaves a choice."""

    table: str = "estimates"
    """csv, jsonl, parquet: which table."""
    judge: str | None = None
    """Take this judge's verdicts only; by default all judges', and the panel's score."""
    disagreeing: bool = False
    """preference-pairs: keep pairs whose orders or judges name different winners."""
    min_margin: float = 0.0
    """preference-pairs: leave out pairs won by less, from 0 (any win) to 1 (every verdict)."""
    now: float = 0.0
    """Seconds since 1970, for formats that say when they were written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """Files to write, and what the person should know."""

    files: Mapping[str, bytes]
    """Content by path below the output folder; one entry "" where the format is a single file."""
    notes: tuple[str, ...] = ()
