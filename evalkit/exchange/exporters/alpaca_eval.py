"""alpaca-eval: annotations.json as AlpacaEval writes it, one row a pair and judge, for its own tools.

A pair judged in both orders has the mean of the two as its preference: 1 = the baseline is better, 2 = the candidate.
"""

from __future__ import annotations

from typing import Any

from evalkit.exchange.exporters import Export, ExportOptions
from evalkit.exchange.exporters._pairs import Pair, json_bytes, pairs
from evalkit.records import Outcome, RunRecords


def write(run: RunRecords, options: ExportOptions) -> Export:
    """Return the one file; a missing verdict is null."""
    whole = [pair for pair in pairs(run, judge=options.judge) if pair.candidate and pair.baseline]
    rows = [_row(run, pair, outcome) for pair in whole for outcome in pair.outcomes]
    return Export(files={"": json_bytes(rows)}, notes=(f"{len(rows):,} annotations",))


def _row(run: RunRecords, pair: Pair, outcome: Outcome) -> dict[str, Any]:
    assert pair.candidate is not None
    assert pair.baseline is not None
    return {
        "id": pair.prompt.id,
        "instruction": pair.prompt.text,
        "output_1": pair.baseline.text,
        "generator_1": run.baseline,
        "output_2": pair.candidate.text,
        "generator_2": run.candidate,
        "dataset": pair.prompt.meta.get("dataset", run.suite["name"]),
        "language": pair.prompt.language,
        "annotator": outcome.judge,
        "preference": 1 + outcome.score,
    }
