"""A run's pairs with everything that is known of each, as most formats want them."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from evalkit.records import PANEL, Generation, Outcome, Prompt, RunRecords, Verdict, json_ready
from evalkit.settings import statistics_settings
from evalkit.statistics.scores import chosen_judge, scores_by_pair
from evalkit.text.safe import whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One prompt, its two answers, and what the judges made of them."""

    prompt: Prompt
    candidate: Generation | None
    baseline: Generation | None
    outcomes: tuple[Outcome, ...]
    """One a judge."""
    verdicts: tuple[Verdict, ...]
    judge: str
    """Whose `score` it is: a judge's name, or `panel`."""
    score: float
    """In the candidate's terms, under the suite's rules; NaN where missing."""


def pairs(run: RunRecords, *, judge: str | None = None) -> list[Pair]:
    """Return the run's pairs in the order of its prompts, as `judge` sees them, or the panel, or the only judge.

    Raises:
        RunError: there is no judge of that name.
    """
    scores = scores_by_pair(run, statistics_settings(run.suite))
    names = [name for name in scores if name != PANEL]
    chosen = chosen_judge(names, judge) if names or judge else ""
    candidate = {answer.key: answer for answer in run.candidate_answers}
    baseline = {answer.key: answer for answer in run.baseline_answers}
    outcomes: dict[tuple[str, str], list[Outcome]] = defaultdict(list)
    for outcome in run.outcomes:
        if chosen in {PANEL, outcome.judge}:
            outcomes[outcome.key].append(outcome)
    verdicts: dict[tuple[str, str], list[Verdict]] = defaultdict(list)
    for verdict in run.verdicts:
        if chosen in {PANEL, verdict.judge}:
            verdicts[verdict.language, verdict.prompt_id].append(verdict)
    return [
        Pair(
            prompt=prompt,
            candidate=candidate.get(prompt.key),
            baseline=baseline.get(prompt.key),
            outcomes=tuple(outcomes[prompt.key]),
            verdicts=tuple(verdicts[prompt.key]),
            judge=chosen,
            score=scores[chosen][prompt.key] if chosen else math.nan,
        )
        for prompt in run.prompts
    ]


def json_bytes(value: Any) -> bytes:
    """Return a JSON document; NaN becomes null, lone surrogates are replaced."""
    text = json.dumps(json_ready(value), ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    return whole(text).encode()


def json_lines(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Return JSON lines; NaN becomes null, lone surrogates are replaced."""
    lines = (json.dumps(json_ready(row), ensure_ascii=False, allow_nan=False) + "\n" for row in rows)
    return whole("".join(lines)).encode()


def parquet(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Return rows as one Parquet file; text that UTF-8 cannot hold is replaced."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = [_writable(row) for row in rows]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(table), sink, compression="zstd")
    return bytes(sink.getvalue().to_pybytes())


def _writable(value: Any) -> Any:
    if isinstance(value, str):
        return whole(value)
    if isinstance(value, Mapping):
        return {key: _writable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_writable(item) for item in value]
    return json_ready(value)
