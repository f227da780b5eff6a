"""What importers share: a file, what the person says of it, its rows, and how the fields of a row are read.

All that is wrong with the files is collected and named at once, with file, row and value.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from evalkit.errors import DataError, Problem, ProblemList, did_you_mean
from evalkit.tables import kind_of, parse_json, parse_table


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """One file, already read."""

    name: str
    data: bytes
    language: str | None = None
    """Language of its rows, where the file's name says it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """What the person who imports may say that the files do not."""

    candidate: str | None = None
    """Name of the candidate, where the files hold several models or none."""
    baseline: str | None = None
    """Name of the baseline."""
    judge: str | None = None
    """Name of the judge."""
    language: str = "en"
    """Language of rows that do not say theirs."""
    suite: str | None = None
    """Name of the suite; runs are comparable only within one."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Plain tables: our field → the table's column."""


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One row of a file."""

    where: str
    """Its place, for messages."""
    fields: Mapping[str, Any]
    source: SourceFile

    def language(self, options: ImportOptions) -> str:
        """Return the language as the row says it, else the file's name, else the person."""
        return str(self.fields.get("language") or self.source.language or options.language)


def read_rows(source: SourceFile) -> list[SourceRow]:
    """Return the rows of a file that is a table.

    Raises:
        DataError: the file is broken, of an unknown format, or holds no rows.
    """
    table = parse_table(source.data, name=source.name)
    return [SourceRow(table.where(index), row, source) for index, row in enumerate(table.rows)]


def read_json(source: SourceFile) -> Any:
    """Return the content of a JSON file that is no table.

    Raises:
        DataError: it is not UTF-8 or not JSON, as when it was cut off.
    """
    return parse_json(source.data, name=source.name)


class FieldReader:
    """Reads the fields of rows and collects what is wrong: one problem a column and file, not one a row."""

    def __init__(self) -> None:
        self.problems = ProblemList()

    def fail(self, row: SourceRow | str, message: str, hint: str = "", *, kind: str = "") -> None:
        """Note a problem at a row, or at a place named in words.

        Args:
            row: The row, or the place.
            message: What is wrong.
            hint: How to mend it.
            kind: The column, or whatever else the problem has in common with those of other rows of the file, so that
                only the first is shown; by default the message.
        """
        where, file = (row, "") if isinstance(row, str) else (row.where, row.source.name)
        self.problems.add(Problem(where=where, message=message, hint=hint), kind=(file, kind or message))

    def text(self, row: SourceRow, key: str, *, default: str | None = None) -> str:
        """Return a text; numbers become text; a missing one is a problem unless there is a default."""
        value = row.fields.get(key)
        if value is None or (isinstance(value, float) and math.isnan(value)):
            if default is None:
                self.missing(row, key)
            return default or ""
        if isinstance(value, list | dict):
            self.fail(row, f"{key!r} is {kind_of(value)}, text expected", kind=key)
            return ""
        return str(value)

    def number(self, row: SourceRow, key: str, *, low: float, high: float, hint: str = "") -> float:
        """Return a number within [low, high], NaN where it is null or empty; anything else is a problem."""
        if key not in row.fields:
            self.missing(row, key)
            return math.nan
        value = row.fields[key]
        if value is None or value == "":
            return math.nan
        try:
            number = float("x" if isinstance(value, bool) else value)
        except (TypeError, ValueError):
            self.fail(row, f"{key} is {value!r}, a number expected", hint, kind=key)
            return math.nan
        if not math.isnan(number) and not low <= number <= high:
            self.fail(row, f"{key} is {value!r}, outside {low:g}..{high:g}", hint, kind=key)
            return math.nan
        return number

    def only(self, rows: Sequence[SourceRow], key: str, *, default: str | None = None) -> str:
        """Return the one text that all rows have, such as a model's name; several are a problem."""
        first: dict[str, SourceRow] = {}
        for row in rows:
            first.setdefault(self.text(row, key, default=default), row)
        one, *others = first
        if others:
            message = f"{key} is {others[0]!r}, before it was {one!r}"
            self.fail(first[others[0]], message, "import one pair of models at a time")
        return one

    def missing(self, row: SourceRow, key: str) -> None:
        """Note that a row lacks a key."""
        self.fail(row, f"key {key!r} is missing", did_you_mean(key, sorted(map(str, row.fields))))

    def known(self, rows: Sequence[SourceRow], keys: Iterable[str]) -> None:
        """Note each key that the format does not have, once, where it first stands."""
        allowed, seen = sorted(keys), set(keys)
        for row in rows:
            for key in row.fields:
                if key not in seen:
                    seen.add(key)
                    self.fail(row, f"unknown key {key!r}", did_you_mean(str(key), allowed))

    def check(self) -> None:
        """Raise one DataError that names what was noted, if anything was."""
        self.problems.check(DataError)
