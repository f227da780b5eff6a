"""Other tools' files: read as runs, and runs written as theirs. Pure: bytes in, records out, and the other way round.

A format is one file in `importers/` or `exporters/` and one row in the tables here.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from evalkit.exchange.exporters import Export, ExportOptions
    from evalkit.exchange.reader import ImportOptions, SourceFile
    from evalkit.records import RunData

IMPORTERS: dict[str, str] = {
    "alpaca-eval": "AlpacaEval annotations.json: one order, which one is recovered",
    "arena-hard": "Arena-Hard-Auto judgments (v0.1 and v2.0), both games; questions and answers beside them if there",
    "fastchat": "FastChat (MT-Bench) pairwise judgments, both games",
    "deja-vu": "deja-vu-pairwise-evals: languages × repeats",
    "table": "a plain table: one row a judgment (CSV, TSV, JSON, JSONL or Parquet)",
}
"""Format → what it is. Its reader is `importers/<format>.py`."""

EXPORTERS: dict[str, str] = {
    "csv": "one tidy table as CSV",
    "jsonl": "one tidy table as JSON lines",
    "parquet": "one tidy table as Parquet",
    "preference-pairs": "prompt, chosen, rejected, for preference training (TRL and others)",
    "llm-comparator": "JSON that LLM Comparator opens",
    "alpaca-eval": "AlpacaEval annotations.json",
    "every-eval-ever": "Every Eval Ever aggregate and instance files",
    "dataset": "a folder that `datasets.load_dataset` reads, with its card",
}
"""Format → what it is. Its writer is `exporters/<format>.py`; csv, jsonl and parquet share `tidy`."""


def importer(name: str) -> Callable[[Sequence[SourceFile], ImportOptions], tuple[RunData, ...]]:
    """Return the reader of format `name`: files in, runs (without results) out."""
    module = importlib.import_module(f"{__name__}.importers.{name.replace('-', '_')}")
    found: Callable[[Sequence[SourceFile], ImportOptions], tuple[RunData, ...]] = module.read
    return found


def exporter(name: str) -> Callable[[RunData, ExportOptions], Export]:
    """Return the writer of format `name`."""
    file = "tidy" if name in {"csv", "jsonl", "parquet"} else name.replace("-", "_")
    found: Callable[[RunData, ExportOptions], Export] = importlib.import_module(f"{__name__}.exporters.{file}").write
    return found
