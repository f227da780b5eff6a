"""llm-comparator: the JSON that PAIR's LLM Comparator opens. A is the candidate, B the baseline.

Layout: github.com/PAIR-code/llm-comparator, client/lib/types.ts. Scores run from -1.5 to 1.5, above 0 = A is better.
The tool shows a rater's words as they are, with the letters of the order shown; flipped ones say so at their start.
"""

from __future__ import annotations

from typing import Any

from evalkit.exchange.exporters import Export, ExportOptions
from evalkit.exchange.exporters._pairs import Pair, json_bytes, pairs
from evalkit.language.length import characters
from evalkit.records import Order, RunRecords, Verdict

SPAN = 3.0
"""From -1.5 to 1.5."""


def write(run: RunRecords, options: ExportOptions) -> Export:
    """Return the one file."""
    shown = [pair for pair in pairs(run, judge=options.judge) if pair.candidate and pair.baseline]
    document = {
        "metadata": {
            "source_path": f"{run.suite['name']}: {run.candidate} against {run.baseline}",
            "custom_fields_schema": [
                {"name": "prompt_id", "type": "string"},
                {"name": "language", "type": "category"},
                {"name": "length", "type": "per_model_number"},
                {"name": "language_check", "type": "per_model_category"},
                {"name": "judge", "type": "per_rating_string"},
            ],
        },
        "models": [{"name": run.candidate}, {"name": run.baseline}],
        "examples": [_example(run, pair) for pair in shown],
    }
    return Export(files={"": json_bytes(document)}, notes=(f"{len(shown):,} examples",))


def _example(run: RunRecords, pair: Pair) -> dict[str, Any]:
    assert pair.candidate is not None
    assert pair.baseline is not None
    checks = (run.candidate_checks.get(pair.prompt.key), run.baseline_checks.get(pair.prompt.key))
    return {
        "input_text": pair.prompt.text,
        "tags": [pair.prompt.language, *pair.prompt.meta.values()],
        "output_text_a": pair.candidate.text,
        "output_text_b": pair.baseline.text,
        "score": (pair.score - 0.5) * SPAN,
        "individual_rater_scores": [_rating(run, verdict) for verdict in pair.verdicts],
        "custom_fields": {
            "prompt_id": pair.prompt.id,
            "language": pair.prompt.language,
            "length": [characters(pair.candidate.text), characters(pair.baseline.text)],
            "language_check": [check.status.value if check else None for check in checks],
        },
    }


def _rating(run: RunRecords, verdict: Verdict) -> dict[str, Any]:
    worth = verdict.candidate_preference if verdict.candidate_graded is None else verdict.candidate_graded
    flipped = verdict.order is Order.SWAPPED
    mark = (
        f"[shown the other way round: A is {run.baseline}, B is {run.candidate}] " if flipped and verdict.reason else ""
    )
    better = "A is better" if worth > 0.5 else "B is better" if worth < 0.5 else "same"  # noqa: PLR2004
    return {
        "score": (worth - 0.5) * SPAN,
        "rating_label": better,
        "is_flipped": flipped,
        "rationale": mark + verdict.reason,
        "custom_fields": {"judge": verdict.judge},
    }
