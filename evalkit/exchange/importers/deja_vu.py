"""deja-vu: CohereLabs/deja-vu-pairwise-evals, languages × repeats.

Layout: `{language: {repeat: …}, "meta_information": {…}}`, two models a prompt.
A repeat is a list of rows, a mapping of rows, or a mapping of columns; a row holds `prompt`, an answer under each
model's name, and `winner`: a model's name or a tie. Each repeat is a new draw of both models, so a prompt's score is
the mean of its repeats and the first draw's texts are kept. Which answer was shown first is not published. A prompt's
place in its language is its id: m-ArenaHard is parallel.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from evalkit.errors import did_you_mean
from evalkit.exchange.assemble import Import, ImportedRun, Judgment, prompt, run_of, tag
from evalkit.exchange.reader import FieldReader, ImportOptions, SourceFile, SourceRow, read_json

META = "meta_information"
OWN = frozenset({"prompt", "winner", "id", "question_id", "category"})
"""Keys of a row that are not models."""
TIES = frozenset({"tie", "both", "draw", "equal"})


def read(sources: Sequence[SourceFile], options: ImportOptions) -> tuple[ImportedRun, ...]:
    """Return the one run of the files, each holding other languages.

    Raises:
        DataError: everything that is wrong, with file, language, repeat, row and value.
    """
    reader = FieldReader()
    contents = [(source, read_json(source)) for source in sources]
    for source, content in contents:
        if not isinstance(content, Mapping) or not set(content) - {META}:
            reader.fail(source.name, "a mapping of languages expected", "this format is {language: {repeat: rows}}")
    reader.check()
    rows = [item for source, content in contents for item in _rows(reader, source, content)]
    reader.check()
    candidate, baseline = _models(reader, sources[0].name, [row for *_, row in rows], options)
    reader.check()
    judge = options.judge or _judge(contents[0][1])
    judgments = [
        Judgment(
            where=row.where,
            prompt=prompt(
                str(row.fields.get("question_id") or row.fields.get("id") or place),
                tag(reader, row, language),
                reader.text(row, "prompt"),
                category=reader.text(row, "category", default=""),
            ),
            judge=judge,
            preference=_preference(reader, row, candidate, baseline),
            repeat=repeat,
            candidate_text=reader.text(row, candidate),
            baseline_text=reader.text(row, baseline),
        )
        for language, repeat, place, row in rows
    ]
    return (
        run_of(
            Import(
                format="deja-vu",
                suite=options.suite or "deja-vu-m-arenahard",
                candidate=candidate,
                baseline=baseline,
                judgments=judgments,
                both_orders=False,
                files=[source.name for source in sources],
                notes=["The order shown is not published. Repeats are new draws: their mean is a prompt's score."],
            ),
            reader,
        ),
    )


def _rows(
    reader: FieldReader, source: SourceFile, content: Mapping[str, Any]
) -> Iterator[tuple[str, int, int, SourceRow]]:
    """Yield (language, repeat, place, row)."""
    for language, repeats in content.items():
        if language == META:
            continue
        if not isinstance(repeats, Mapping):
            reader.fail(f"{source.name} {language}", "a mapping of repeats expected")
            continue
        for number, (name, held) in enumerate(repeats.items()):
            where = f"{source.name} {language}, repeat {name}"
            table = list(_table(held))
            if not table:
                reader.fail(where, "zero rows")
            for place, fields in enumerate(table, 1):
                if isinstance(fields, Mapping):
                    yield language, number, place, SourceRow(f"{where}, row {place}", fields, source)
                else:
                    reader.fail(f"{where}, row {place}", "an object expected")


def _table(held: Any) -> Iterator[Any]:
    """Yield the rows of a list of rows, a mapping of rows, or a mapping of columns."""
    if isinstance(held, Mapping) and isinstance(held.get("winner"), list):
        length = max(len(column) for column in held.values() if isinstance(column, list))
        for index in range(length):
            yield {
                name: column[index] for name, column in held.items() if isinstance(column, list) and index < len(column)
            }
    elif isinstance(held, Mapping):
        yield from ([held] if "winner" in held else held.values())
    elif isinstance(held, list):
        yield from held


def _models(reader: FieldReader, name: str, rows: Sequence[SourceRow], options: ImportOptions) -> tuple[str, str]:
    """Return candidate and baseline: the two keys of a row that are models, in the file's order unless named."""
    found = list(dict.fromkeys(key for row in rows for key in row.fields if key not in OWN))
    if len(found) != 2:  # noqa: PLR2004  a pair
        listed = ", ".join(found) or "none"
        reader.fail(name, f"two models expected beside prompt and winner, found {listed}", "drop the other keys")
        return "", ""
    for given in filter(None, (options.candidate, options.baseline)):
        if given not in found:
            reader.fail(name, f"no model {given!r}", did_you_mean(given, found))
    if options.baseline == found[0] or options.candidate == found[1]:
        found.reverse()
    return found[0], found[1]


def _judge(content: Mapping[str, Any]) -> str:
    meta = content.get(META)
    judge = meta.get("judge") if isinstance(meta, Mapping) else None
    return judge if isinstance(judge, str) and judge else "deja-vu"


def _preference(reader: FieldReader, row: SourceRow, candidate: str, baseline: str) -> float:
    winner = row.fields.get("winner")
    if winner is None:
        if "winner" not in row.fields:
            reader.missing(row, "winner")
        return math.nan
    if str(winner).casefold() in TIES:
        return 0.5
    if not isinstance(winner, str) or winner not in {candidate, baseline}:
        reader.fail(row, f"winner is {winner!r}", f"one of: {candidate}, {baseline}, tie, or null", kind="winner")
        return math.nan
    return float(winner == candidate)
