"""One tidy table of a run, a row a figure, pair or verdict: what csv, jsonl and parquet share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from evalkit.errors import InputError, Problem, did_you_mean
from evalkit.exchange.exporters import TABLES, Export, ExportOptions
from evalkit.records import json_ready
from evalkit.results import RunData
from evalkit.text.sheet import sheet


def tidy(run: RunData, options: ExportOptions, encode: Callable[[Sequence[Mapping[str, Any]]], bytes]) -> Export:
    """Return one table of the run as one file.

    Args:
        run: The run.
        options: Say which table.
        encode: Turns rows into the bytes of the file.

    Raises:
        InputError: there is no such table, or it is empty.
    """
    if options.table not in TABLES:
        hint = did_you_mean(options.table, TABLES)
        raise InputError(Problem(where="--table", message=f"unknown table {options.table!r}", hint=hint))
    rows = table_rows(run, options.table)
    if not rows:
        raise InputError(Problem(where="--table", message=f"the run has no {options.table}"))
    return Export(files={"": encode(rows)}, notes=(f"{len(rows):,} {options.table}",))


def table_rows(run: RunData, table: str) -> list[dict[str, Any]]:
    """Return the rows of one of `TABLES`."""
    if table in {"estimates", "counts"}:
        return [json_ready(row) for row in (run.results.estimates if table == "estimates" else run.results.counts)]
    meta = {prompt.key: dict(prompt.meta) for prompt in run.prompts}
    names = {"candidate": run.candidate, "baseline": run.baseline}
    if table == "outcomes":
        return [{**names, **asdict(item), **_slices(meta.get(item.key, {}))} for item in run.outcomes]
    return [{**names, **_flat(item)} for item in run.verdicts]


def _slices(meta: Mapping[str, str]) -> dict[str, str]:
    return {f"prompt_{name}": value for name, value in meta.items()}


def _flat(verdict: Any) -> dict[str, Any]:
    """Return a verdict as one row; what the judge noted becomes columns, request keys one text."""
    row = {name: getattr(verdict, name) for name in verdict.__dataclass_fields__ if name != "notes"}
    row |= {
        "order": verdict.order.value,
        "choice": verdict.choice.value,
        "request_keys": " ".join(verdict.request_keys),
    }
    return {**row, **{f"note_{name}": value for name, value in verdict.notes.items()}}


def csv_bytes(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Return CSV with a header."""
    return sheet(rows).encode()
