"""Rows of other tools' files, and how their fields are read: all that is wrong is named, with file, row and value.

JSON, JSON lines, CSV, TSV and Parquet, told apart by the file's name.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from evalkit.errors import DataError, Problem, did_you_mean

SHOWN = 20
"""Problems named before the rest is only counted."""
SUFFIXES = (".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".parquet")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """One file, already read."""

    name: str
    data: bytes
    language: str | None = None
    """Language of its rows, where the file's name says it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the person who imports may say that the files do not."""

    candidate: str | None = None
    """Name of the candidate, where the files hold several models or none."""
    baseline: str | None = None
    judge: str | None = None
    language: str = "en"
    """Language of rows that do not say theirs."""
    suite: str | None = None
    """Name of the suite; runs are comparable only within one."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Plain tables: our field → the table's column."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row and where it stands."""

    where: str
    fields: Mapping[str, Any]
    language: str | None = None


def document(source: SourceFile) -> Any:
    """Return a file's JSON.

    Raises:
        DataError: it is not UTF-8 or not JSON, as when it was cut off.
    """
    text = _text(source)
    try:
        return json.loads(text)
    except json.JSONDecodeError as fault:
        where = f"{source.name}:{fault.lineno}"
        cut = "the file ends too early: fetch it again" if fault.pos >= len(text.rstrip()) else "mend this line"
        raise DataError(Problem(where=where, message=f"not valid JSON: {fault.msg}", hint=cut)) from None


def read_rows(source: SourceFile) -> list[Row]:
    """Return a file's rows.

    Raises:
        DataError: the file cannot be read, holds no rows, or a row is no mapping.
    """
    suffix = f".{source.name.rsplit('.', 1)[-1].lower()}"
    if suffix == ".json":
        content = document(source)
        if not isinstance(content, list):
            hint = "this format is a list of objects, one a judgment"
            message = f"a list of rows expected, not {_kind(content)}"
            raise DataError(Problem(where=source.name, message=message, hint=hint))
        rows = [(f"{source.name} row {number}", item) for number, item in enumerate(content, 1)]
    elif suffix in {".jsonl", ".ndjson"}:
        rows = list(_json_lines(source))
    elif suffix in {".csv", ".tsv"}:
        rows = list(_separated(source, "\t" if suffix == ".tsv" else ","))
    elif suffix == ".parquet":
        rows = [(f"{source.name} row {number}", item) for number, item in enumerate(_parquet(source), 1)]
    else:
        hint = f"name it with one of: {', '.join(SUFFIXES)}"
        raise DataError(Problem(where=source.name, message=f"unknown kind of file {suffix!r}", hint=hint))
    wrong = [(where, item) for where, item in rows if not isinstance(item, Mapping)]
    if wrong:
        where, item = wrong[0]
        raise DataError(Problem(where=where, message=f"an object expected, not {_kind(item)}"))
    if not rows:
        raise DataError(Problem(where=source.name, message="zero rows", hint="fetch the file again"))
    return [Row(where, item, source.language) for where, item in rows]


class Reader:
    """Reads fields of rows and collects what is wrong, so that one error names everything at once."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def fail(self, row: Row | str, message: str, hint: str = "") -> None:
        """Note a problem at a row, or at a place named in words."""
        where = row if isinstance(row, str) else row.where
        self.problems.append(Problem(where=where, message=message, hint=hint))

    def text(self, row: Row, key: str, *, default: str | None = None) -> str:
        """Return a text; numbers become text; a missing one is a problem unless there is a default."""
        value = row.fields.get(key)
        if value is None or (isinstance(value, float) and math.isnan(value)):
            if default is None:
                self.fail(row, f"key {key!r} is missing", did_you_mean(key, sorted(map(str, row.fields))))
            return default or ""
        if isinstance(value, list | dict):
            self.fail(row, f"{key!r} is {_kind(value)}, text expected")
            return ""
        return str(value)

    def number(self, row: Row, key: str, *, low: float, high: float, hint: str = "") -> float:
        """Return a number within [low, high], NaN where it is null or empty; anything else is a problem."""
        if key not in row.fields:
            self.fail(row, f"key {key!r} is missing", did_you_mean(key, sorted(map(str, row.fields))))
            return math.nan
        value = row.fields[key]
        if value is None or value == "":
            return math.nan
        try:
            number = float("x" if isinstance(value, bool) else value)
        except (TypeError, ValueError):
            self.fail(row, f"{key} is {value!r}, a number expected", hint)
            return math.nan
        if not math.isnan(number) and not low <= number <= high:
            self.fail(row, f"{key} is {value!r}, outside {low:g}..{high:g}", hint)
            return math.nan
        return number

    def known(self, rows: Sequence[Row], keys: Iterable[str]) -> None:
        """Note each key that the format does not have, once, where it first stands."""
        allowed, seen = sorted(keys), set(keys)
        for row in rows:
            for key in row.fields:
                if key not in seen:
                    seen.add(key)
                    self.fail(row, f"unknown key {key!r}", did_you_mean(str(key), allowed))

    def check(self) -> None:
        """Raise one DataError that names what was noted, if anything was."""
        if self.problems:
            more = len(self.problems) - SHOWN
            rest = [Problem(message=f"and {more} more problems like these")] if more > 0 else []
            raise DataError(*self.problems[:SHOWN], *rest)


def _text(source: SourceFile) -> str:
    try:
        return source.data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = source.data[: fault.start].count(b"\n") + 1
        hint = "save the file as UTF-8"
        raise DataError(Problem(where=f"{source.name}:{line}", message="not valid UTF-8", hint=hint)) from None


def _json_lines(source: SourceFile) -> Iterable[tuple[str, Any]]:
    """Split on line feeds only: other separators (U+2028 …) stand inside texts."""
    lines = _text(source).split("\n")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield f"{source.name}:{number}", json.loads(line)
        except json.JSONDecodeError as fault:
            last = not any(rest.strip() for rest in lines[number:])
            hint = "the file ends too early: fetch it again" if last else "mend this line"
            where = f"{source.name}:{number}"
            raise DataError(Problem(where=where, message=f"not valid JSON: {fault.msg}", hint=hint)) from None


def _separated(source: SourceFile, delimiter: str) -> Iterable[tuple[str, Any]]:
    csv.field_size_limit(2**31 - 1)
    reader = csv.DictReader(io.StringIO(_text(source), newline=""), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            where = f"{source.name}:{reader.line_num}"
            if None in row or None in row.values():
                expected = len(reader.fieldnames or ())
                message = f"the row has not {expected} cells"
                raise DataError(Problem(where=where, message=message, hint="quote its texts"))
            yield where, row
    except csv.Error as fault:
        raise DataError(Problem(where=f"{source.name}:{reader.line_num}", message=f"not valid CSV: {fault}")) from None


def _parquet(source: SourceFile) -> list[dict[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        rows: list[dict[str, Any]] = pq.read_table(io.BytesIO(source.data)).to_pylist()
    except (pa.ArrowException, OSError) as fault:
        reason = str(fault).partition("\n")[0]
        raise DataError(Problem(where=source.name, message=f"not valid Parquet: {reason}")) from None
    return rows


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
