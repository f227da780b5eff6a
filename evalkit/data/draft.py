"""A commented suite from a table of prompts: the meaning of each column is guessed, for a person to correct."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from evalkit.data.rows import GUESSES, first_of
from evalkit.data.sources import MARK
from evalkit.errors import DataError, Problem
from evalkit.files import read_table
from evalkit.language.tags import describe, normalise
from evalkit.tables import DataTable, as_text

MOST_VALUES = 20
"""Distinct values up to which a column is taken for a slice."""
REFERENCES = ("reference", "targets", "target", "gold", "gold_answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a table's columns seem to be."""

    languages: tuple[str, ...]
    columns: dict[str, str]
    """Our field → the table's column."""
    slices: tuple[str, ...]
    """Columns that group the rows."""
    parallel: bool
    """Whether one id is one prompt in every language."""
    rows: int


def draft_suite(path: Path, *, language: str | None = None) -> str:
    """Return the YAML of a suite that reads the table at `path`; paths in it start at the table's folder.

    Args:
        path: JSON, JSONL, CSV, TSV or Parquet.
        language: The language of all rows, where the table does not say.

    Raises:
        DataError: the table cannot be read, or its language or text cannot be found.
    """
    table = read_table(path)
    return _yaml(_draft(table, language), path)


def _draft(table: DataTable, language: str | None) -> Draft:
    wide = [column for column in table.columns if _tag(column)]
    guessed = {name: first_of(usual, table.columns) for name, usual in GUESSES.items()}
    spoken = guessed["language"] or _column_of_tags(table)
    if spoken is None and len(wide) > 1:
        languages = [normalise(column) for column in wide]
        columns = {"text": MARK}
        used = {*wide}
    else:
        text = guessed["text"] or _longest(table, without={spoken, guessed["id"]})
        values = [language] if language else _values(table, spoken) if spoken else []
        languages = _normalised(table, values)
        columns = {"text": text} | ({"language": spoken} if spoken and not language else {})
        used = {text, *([spoken] if spoken else [])}
    reference = first_of(REFERENCES, table.columns)
    if guessed["id"]:
        columns = {"id": guessed["id"], **columns}
    if reference:
        columns["reference"] = reference
    slices = _slices(table, without=used | {guessed["id"], reference})
    return Draft(
        languages=tuple(dict.fromkeys(languages)),
        columns=columns,
        slices=tuple(slices),
        parallel=(spoken is None and len(wide) > 1) or _shares_ids(table, guessed["id"], spoken),
        rows=len(table.rows),
    )


def _tag(text: str) -> str | None:
    """Return the tag of a short text that is one: `de`, `pt-BR`, `arb_Arab`, but not `id`, which names an id column."""
    if text == "id" or not re.fullmatch(r"[a-z]{2,3}([-_][A-Za-z]{2,4})?", text):
        return None
    try:
        tag = normalise(text)
        describe(tag)
    except ValueError:
        return None
    return tag


def _column_of_tags(table: DataTable) -> str | None:
    """Return a column that holds nothing but language tags."""
    for column in table.columns:
        values = _values(table, column)
        if values and len(values) <= len(table.rows) // 2 + 1 and all(_tag(value) for value in values):
            return column
    return None


def _normalised(table: DataTable, values: Sequence[str]) -> list[str]:
    if not values:
        hint = "say it: --language de; or add a `language` column, or one column a language (en, de, …)"
        raise DataError(Problem(where=table.name, message="no column says the language", hint=hint))
    tags, problems = [], []
    for value in values:
        try:
            tags.append(normalise(value))
        except ValueError as fault:
            problems.append(Problem(where=table.name, message=str(fault)))
    if problems:
        raise DataError(*problems)
    return tags


def _longest(table: DataTable, *, without: set[str | None]) -> str:
    """Return the column with the longest texts."""
    length = {
        column: mean(len(row[column]) if isinstance(row.get(column), str) else 0 for row in table.rows)
        for column in table.columns
        if column not in without
    }
    best = max(length, key=lambda column: length[column], default=None)
    if best is None or not length[best]:
        raise DataError(Problem(where=table.name, message="no column holds text"))
    return best


def _slices(table: DataTable, *, without: Iterable[str | None]) -> list[str]:
    """Return the columns that group the rows."""
    skipped = set(without)
    found = []
    for column in table.columns:
        values = _values(table, column)
        if column not in skipped and 1 < len(values) <= min(MOST_VALUES, len(table.rows) // 2):
            found.append(column)
    return found


def _shares_ids(table: DataTable, own: str | None, spoken: str | None) -> bool:
    """Whether every language has the same ids."""
    if own is None or spoken is None:
        return False
    ids: dict[str, set[str]] = {}
    for row in table.rows:
        ids.setdefault(as_text(row.get(spoken)), set()).add(as_text(row.get(own)))
    return len(ids) > 1 and len({frozenset(group) for group in ids.values()}) == 1


def _values(table: DataTable, column: str) -> list[str]:
    return list(dict.fromkeys(as_text(row.get(column)) for row in table.rows))


def _yaml(draft: Draft, path: Path) -> str:
    """Write the suite; JSON's quoting is YAML's."""
    names = ", ".join(f"{describe(tag).english_name} ({describe(tag).autonym})" for tag in draft.languages)
    quoted = {key: json.dumps(value, ensure_ascii=False) for key, value in draft.columns.items()}
    columns = "\n".join(f"    {key}: {value}" for key, value in quoted.items())
    name = re.sub(r"[^\w.-]+", "-", path.stem).strip("-") or "suite"
    tags = ", ".join(json.dumps(tag) if tag == "no" else tag for tag in draft.languages)
    slices = ", ".join(json.dumps(slice_, ensure_ascii=False) for slice_ in draft.slices)
    shared = "one id is one prompt in every language" if draft.parallel else "every prompt stands for itself"
    return f"""\
# A suite of the prompts in {path.name} ({draft.rows} rows). Check it:
#
#   evalkit suites check {name}.yaml
#
# Run it, with any two models (or files of answers: recorded/answers/my-model.csv):
#
#   evalkit run {name}.yaml --candidate openai/gpt-6-sol --baseline openai/gpt-6-luna
name: {json.dumps(name, ensure_ascii=False)}
about:
  title: {json.dumps(name, ensure_ascii=False)}
  description: ""
  licence: ""

# {names}
languages: [{tags}]

prompts:
  files: {json.dumps(path.name, ensure_ascii=False)}
  # Our name on the left, the table's column on the right.
  columns:
{columns}
  # Every figure is also given for each value of these columns.
  slices: [{slices}]
  # {shared[:1].upper()}{shared[1:]}: what counts as independent in every interval.
  parallel: {str(draft.parallel).lower()}
  # A seeded sample, the same ids in every language: take the mark away.
  # limit: 100

# How the models answer. A system prompt may differ by language: system: {{de: "…", default: "…"}}
generation: {{temperature: 0.0, max_tokens: 2048}}

# Who judges: a judge that ships (evalkit judges) or a file of your own.
judges: [aya-pairwise]
"""
