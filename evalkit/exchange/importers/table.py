"""table: a plain table (CSV, TSV, JSON, JSONL or Parquet), one row a judgment, in the columns a person would write.

`candidate` and `baseline` hold the two answers; `winner` says candidate, baseline or tie, or `preference` is the
candidate's share from 0 to 1. Everything else may be left out: see `COLUMNS`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from evalkit.errors import did_you_mean
from evalkit.exchange.assemble import Import, ImportedRun, Judgment, digest, prompt, run_of, tag
from evalkit.exchange.reader import FieldReader, ImportOptions, SourceFile, SourceRow, read_rows
from evalkit.records import Order

COLUMNS = {
    "prompt": "text of the prompt (needed unless there is an id)",
    "id": "id of the prompt, the same in every language; made of the text where it is left out",
    "language": "language tag in any convention",
    "candidate": "the candidate's answer",
    "baseline": "the baseline's answer",
    "candidate_model": "the candidate's name, the same in all rows",
    "baseline_model": "the baseline's name, the same in all rows",
    "winner": "candidate, baseline or tie (or the model's name); empty where the verdict is missing",
    "preference": "instead of winner: 1 = candidate better, 0 = baseline better, between = probability",
    "order": "forward (candidate shown first) or swapped; with both, a pair needs both",
    "judge": "who judged",
    "repeat": "0, 1, 2 … where a pair was judged several times",
    "category": "a slice",
    "reason": "the judge's words",
}
"""Our columns and what they hold."""
WINNERS = {"candidate": 1.0, "baseline": 0.0, "tie": 0.5, "": math.nan}


def read(sources: Sequence[SourceFile], options: ImportOptions) -> tuple[ImportedRun, ...]:
    """Return the one run of the tables.

    Raises:
        DataError: everything that is wrong, with file, row and value.
    """
    reader = FieldReader()
    for name in options.columns:
        if name not in COLUMNS:
            reader.fail("--columns", f"unknown column {name!r}", did_you_mean(name, list(COLUMNS)))
    rows = [_renamed(row, options) for source in sources for row in read_rows(source)]
    reader.known(rows, COLUMNS)
    candidate = reader.only(rows, "candidate_model", default=options.candidate or "candidate")
    baseline = reader.only(rows, "baseline_model", default=options.baseline or "baseline")
    judgments = [_judgment(reader, row, candidate, baseline, options) for row in rows]
    reader.check()
    orders = {item.order for item in judgments}
    return (
        run_of(
            Import(
                format="table",
                suite=options.suite or "imported",
                candidate=candidate,
                baseline=baseline,
                judgments=judgments,
                both_orders=orders == set(Order),
                soft=any(item.preference not in {0, 0.5, 1} and item.preference >= 0 for item in judgments),
                files=[source.name for source in sources],
            ),
            reader,
        ),
    )


def _renamed(row: SourceRow, options: ImportOptions) -> SourceRow:
    """Return the row under our names; columns that another one stands for are left out."""
    theirs = {name: ours for ours, name in options.columns.items()}
    kept = {key: value for key, value in row.fields.items() if key in theirs or key not in options.columns}
    fields = {theirs.get(key, key): value for key, value in kept.items()}
    return SourceRow(row.where, fields, row.source)


def _judgment(reader: FieldReader, row: SourceRow, candidate: str, baseline: str, options: ImportOptions) -> Judgment:
    text = reader.text(row, "prompt", default="")
    identifier = reader.text(row, "id", default="") or (digest(text) if text else "")
    if not identifier:
        reader.fail(row, "neither a prompt nor an id", "one of the two names what was asked")
    answers = (row.fields.get("candidate"), row.fields.get("baseline"))
    return Judgment(
        where=row.where,
        prompt=prompt(
            identifier,
            tag(reader, row, row.language(options)),
            text,
            category=reader.text(row, "category", default=""),
        ),
        judge=options.judge or reader.text(row, "judge", default="") or "imported",
        preference=_preference(reader, row, candidate, baseline),
        order=_order(reader, row),
        repeat=_repeat(reader, row),
        candidate_text=None if answers[0] is None else str(answers[0]),
        baseline_text=None if answers[1] is None else str(answers[1]),
        reason=reader.text(row, "reason", default=""),
    )


def _preference(reader: FieldReader, row: SourceRow, candidate: str, baseline: str) -> float:
    if "preference" in row.fields:
        hint = "1 = the candidate is better, 0 = the baseline is, 0.5 = tie"
        return reader.number(row, "preference", low=0, high=1, hint=hint)
    if "winner" not in row.fields:
        reader.fail(row, "neither 'winner' nor 'preference' is there", "--columns winner=THEIR_NAME renames a column")
        return math.nan
    word = reader.text(row, "winner", default="").strip()
    worth = {candidate: 1.0, baseline: 0.0} | WINNERS
    if word not in worth and word.casefold() not in worth:
        hint = "one of: candidate, baseline, tie, or empty where the verdict is missing"
        reader.fail(row, f"winner is {word!r}", hint, kind="winner")
        return math.nan
    return worth[word] if word in worth else worth[word.casefold()]


def _order(reader: FieldReader, row: SourceRow) -> Order | None:
    word = reader.text(row, "order", default="")
    if word and word not in set(Order):
        reader.fail(row, f"order is {word!r}", "one of: forward, swapped", kind="order")
        return None
    return Order(word) if word else None


def _repeat(reader: FieldReader, row: SourceRow) -> int:
    word = reader.text(row, "repeat", default="") or "0"
    if not word.isdecimal():
        reader.fail(row, f"repeat is {word!r}", "a whole number from 0", kind="repeat")
        return 0
    return int(word)
