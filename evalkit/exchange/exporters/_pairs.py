"""A run's pairs with everything that is known of each, as most formats want them."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from evalkit.errors import Problem, RunError, did_you_mean
from evalkit.records import PANEL, Generation, Outcome, Prompt, RunRecords, Verdict, json_ready
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

    @property
    def score(self) -> float:
        """Mean of the judges' scores; NaN where one of them is missing."""
        return fmean(outcome.score for outcome in self.outcomes) if self.outcomes else math.nan

    @property
    def judge(self) -> str:
        """The judge's name, or `panel`."""
        return self.outcomes[0].judge if len(self.outcomes) == 1 else PANEL


def pairs(run: RunRecords, *, judge: str | None = None) -> list[Pair]:
    """Return the run's pairs in the order of its prompts.

    Raises:
        RunError: there is no judge of that name.
    """
    judges = sorted({outcome.judge for outcome in run.outcomes})
    if judge is not None and judge not in judges:
        raise RunError(
            Problem(where="--judge", message=f"no judge {judge!r} in this run", hint=did_you_mean(judge, judges))
        )
    candidate = {answer.key: answer for answer in run.candidate_answers}
    baseline = {answer.key: answer for answer in run.baseline_answers}
    outcomes: dict[tuple[str, str], list[Outcome]] = defaultdict(list)
    for outcome in run.outcomes:
        if judge in {None, outcome.judge}:
            outcomes[outcome.key].append(outcome)
    verdicts: dict[tuple[str, str], list[Verdict]] = defaultdict(list)
    for verdict in run.verdicts:
        if judge in {None, verdict.judge}:
            verdicts[verdict.language, verdict.prompt_id].append(verdict)
    return [
        Pair(
            prompt=prompt,
            candidate=candidate.get(prompt.key),
            baseline=baseline.get(prompt.key),
            outcomes=tuple(outcomes[prompt.key]),
            verdicts=tuple(verdicts[prompt.key]),
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
