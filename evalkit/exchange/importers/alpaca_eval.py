"""alpaca-eval: AlpacaEval's annotations.json, one order a pair; which one is drawn again from its seed.

A list of pairs, each judged once, with a preference from 1 to 2.
`output_1` is the baseline's, `output_2` the candidate's; preference 1 means the first is better, 2 the second. Which
one the judge saw first is not stored, but drawn from a generator seeded with the instruction (alpaca_eval,
`annotators/pairwise_evaluator.py`), so it is drawn again here. Source: github.com/tatsu-lab/alpaca_eval.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from evalkit.exchange.assemble import Import, ImportedRun, Judgment, digest, prompt, run_of, tag
from evalkit.exchange.reader import FieldReader, ImportOptions, SourceFile, SourceRow, read_rows
from evalkit.records import Order

KEYS = frozenset(
    {
        *("instruction", "output_1", "output_2", "generator_1", "generator_2", "dataset", "datasplit", "annotator"),
        *("preference", "price_per_example", "time_per_example", "raw_completion", "id", "index", "language"),
        *("glm_preference", "auto_annotation", "referenced_models", "date", "version", "is_switched_outputs"),
        *("input", "prompt", "samples", "tmp_index", "prompt_id", "category"),
    }
)
PREFERENCE_HINT = "1 = output_1 is better, 2 = output_2 is, 1.5 = tie; write null where the verdict is missing"


def read(sources: Sequence[SourceFile], options: ImportOptions) -> tuple[ImportedRun, ...]:
    """Return one run a candidate: each file holds one; files of one candidate (its languages) become one run.

    Raises:
        DataError: everything that is wrong, with file, row and value.
    """
    reader = FieldReader()
    by_candidate: dict[str, list[tuple[SourceFile, list[SourceRow]]]] = {}
    baselines: dict[str, dict[str, None]] = {}
    for source in sources:
        rows = read_rows(source)
        reader.known(rows, KEYS)
        candidate, baseline = (reader.only(rows, key) for key in ("generator_2", "generator_1"))
        candidate, baseline = options.candidate or candidate, options.baseline or baseline
        by_candidate.setdefault(candidate, []).append((source, rows))
        baselines.setdefault(candidate, {})[baseline] = None
    runs = []
    for candidate, files in by_candidate.items():
        if len(baselines[candidate]) > 1:
            names = ", ".join(baselines[candidate])
            reader.fail(files[0][0].name, f"{candidate} met several baselines: {names}", "import them apart")
        reader.check()
        runs.append(_run(reader, candidate, next(iter(baselines[candidate])), files, options))
    return tuple(runs)


def _run(
    reader: FieldReader,
    candidate: str,
    baseline: str,
    files: Sequence[tuple[SourceFile, list[SourceRow]]],
    options: ImportOptions,
) -> ImportedRun:
    rows = [row for _, found in files for row in found]
    judgments = [_judgment(reader, row, options) for row in rows]
    prices = [row.fields.get("price_per_example") for row in rows]
    known = [float(price) for price in prices if isinstance(price, int | float) and not math.isnan(price)]
    return run_of(
        Import(
            format="alpaca-eval",
            suite=options.suite or "alpaca-eval",
            candidate=candidate,
            baseline=baseline,
            judgments=judgments,
            both_orders=False,
            soft=any(item.preference not in {0, 0.5, 1} and item.preference >= 0 for item in judgments),
            files=[source.name for source, _ in files],
            cost=sum(known) if known else None,
            notes=["One order a pair; which one was shown is drawn again from AlpacaEval's seed."],
        ),
        reader,
    )


def _judgment(reader: FieldReader, row: SourceRow, options: ImportOptions) -> Judgment:
    instruction = reader.text(row, "instruction")
    language = tag(reader, row, row.language(options))
    identifier = row.fields.get("id")
    identifier = digest(instruction) if identifier is None else str(identifier)
    return Judgment(
        where=row.where,
        prompt=prompt(identifier, language, instruction, dataset=reader.text(row, "dataset", default="")),
        judge=options.judge or reader.text(row, "annotator", default="alpaca-eval"),
        preference=reader.number(row, "preference", low=1, high=2, hint=PREFERENCE_HINT) - 1,
        order=Order.FORWARD if shown_switched(instruction) else Order.SWAPPED,
        candidate_text=reader.text(row, "output_2"),
        baseline_text=reader.text(row, "output_1"),
        notes=_notes(row),
    )


def shown_switched(instruction: str) -> bool:
    """Return whether AlpacaEval showed `output_2` first: the draw of its own seeded generator."""
    drawn = random.Random("is_switched_outputs" + instruction + "0")  # noqa: S311  AlpacaEval's own draw
    return drawn.choices([False, True])[0]


def _notes(row: SourceRow) -> dict[str, str]:
    """Keep price and time a pair as the file has them."""
    named = {"price": "price_per_example", "seconds": "time_per_example"}
    return {note: str(row.fields[key]) for note, key in named.items() if row.fields.get(key) is not None}
