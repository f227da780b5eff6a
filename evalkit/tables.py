"""One table of rows from a JSON, JSONL, CSV, TSV or Parquet file, with the place of every row for messages."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evalkit.errors import DataError, Problem, did_you_mean

FORMATS = (".jsonl", ".json", ".csv", ".tsv", ".parquet")
FIELD = re.compile(r"\{([^{}]+)\}")
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class DataTable:
    """Rows of one file."""

    name: str
    """What messages call the file."""
    columns: tuple[str, ...]
    """Columns of any row, in order of appearance."""
    rows: tuple[Row, ...]
    lines: tuple[int, ...] = ()
    """Line of every row, where the format has lines."""

    def where(self, index: int) -> str:
        """Return `file:line`, or `file, row n` (from 1)."""
        return f"{self.name}:{self.lines[index]}" if self.lines else f"{self.name}, row {index + 1}"

    def missing(self, names: Iterable[str]) -> list[Problem]:
        """Return a problem for each of `names` that is no column (nor a path into one)."""
        absent = [name for name in names if name not in self.columns and name.split(".")[0] not in self.columns]
        listed = ", ".join(self.columns)
        return [
            Problem(
                where=self.name,
                message=f"there is no column {name!r}; there are: {listed}",
                hint=did_you_mean(name, self.columns),
            )
            for name in dict.fromkeys(absent)
        ]


def table_of(rows: Sequence[Row], *, name: str, lines: Sequence[int] = ()) -> DataTable:
    """Return rows as a table; columns are those of any row."""
    columns = dict.fromkeys(column for row in rows for column in row)
    return DataTable(name=name, columns=tuple(columns), rows=tuple(rows), lines=tuple(lines))


def read_table(path: Path, *, name: str | None = None, suffix: str | None = None) -> DataTable:
    """Read a file; its ending says the format.

    Raises:
        DataError: it is missing, a folder, empty, of an unknown format, or broken (with the line).
    """
    called = name or str(path)
    if path.is_dir():
        hint = "name the file; `{language}` stands for the languages of a folder of files"
        raise DataError(Problem(where=called, message="a folder stands where a file should", hint=hint))
    ending = (suffix or path.suffix).lower()
    if ending not in FORMATS:
        hint = f"one of: {', '.join(FORMATS)}"
        raise DataError(Problem(where=called, message=f"unknown format {ending or 'without ending'!r}", hint=hint))
    try:
        content = path.read_bytes()
    except OSError as fault:
        raise DataError(Problem(where=called, message=f"cannot be read: {fault.strerror}")) from None
    table = parse_table(content, name=called, suffix=ending)
    if not table.rows:
        raise DataError(Problem(where=called, message="the file holds no rows"))
    return table


def parse_table(content: bytes, *, name: str, suffix: str) -> DataTable:
    """Read a file's content.

    Raises:
        DataError: it is broken.
    """
    if suffix == ".parquet":
        return _parquet(content, name)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = content[: fault.start].count(b"\n") + 1
        hint = "save it as UTF-8"
        raise DataError(Problem(where=f"{name}:{line}", message="the text is not UTF-8", hint=hint)) from None
    if suffix == ".jsonl":
        return _jsonl(text, name)
    if suffix == ".json":
        return _json(text, name)
    return _csv(text, name, "\t" if suffix == ".tsv" else _delimiter(text))


def value_of(row: Row, spec: str) -> Any:
    """Return a column's value; `{a}/{b}` puts several together, `a.b.0` looks inside one. None where absent."""
    if "{" in spec:
        return fill(spec, row)
    if spec in row:
        return row[spec]
    value: Any = row
    for part in spec.split("."):
        if isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, list) and part.lstrip("-").isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value


def fill(template: str, values: Row) -> str:
    """Put values in place of `{name}`, in one pass: what a value holds is never read as a placeholder."""
    return FIELD.sub(lambda found: as_text(value_of(values, found[1])), template)


def fields_in(spec: str) -> list[str]:
    """Return the columns that a spec names."""
    return FIELD.findall(spec) if "{" in spec else [spec]


def as_text(value: Any) -> str:
    """Return a cell as text: 3.0 from a spreadsheet is 3, nothing is the empty text."""
    if value is None or (isinstance(value, float) and value != value):  # noqa: PLR0124  NaN
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _jsonl(text: str, name: str) -> DataTable:
    """Split at line feeds only: other separators (U+2028 …) stand inside texts."""
    rows, lines, problems = [], [], []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as fault:
            problems.append(Problem(where=f"{name}:{number}", message=f"not valid JSON: {fault.msg}"))
            continue
        if not isinstance(row, dict):
            problems.append(Problem(where=f"{name}:{number}", message="the line is no JSON object"))
            continue
        rows.append(row)
        lines.append(number)
    if problems:
        raise DataError(*shortened(problems))
    return table_of(rows, name=name, lines=lines)


def _json(text: str, name: str) -> DataTable:
    try:
        data = json.loads(text)
    except json.JSONDecodeError as fault:
        hint = "one object a line is JSONL: name the file .jsonl" if fault.msg == "Extra data" else ""
        raise DataError(
            Problem(where=f"{name}:{fault.lineno}", message=f"not valid JSON: {fault.msg}", hint=hint)
        ) from None
    if isinstance(data, dict):
        lists = [value for value in data.values() if isinstance(value, list)]
        if data and all(isinstance(value, str) for value in data.values()):
            data = [{"id": key, "text": value} for key, value in data.items()]
        elif len(lists) == 1:
            data = lists[0]
    if isinstance(data, list) and all(isinstance(row, str) for row in data):
        data = [{"text": row} for row in data]
    if not isinstance(data, list) or not all(isinstance(row, dict) for row in data):
        hint = 'write [{"id": "1", "text": "…"}, …]'
        raise DataError(Problem(where=name, message="the file is no list of JSON objects", hint=hint))
    return table_of(data, name=name)


def _delimiter(text: str) -> str:
    """Return what parts the header's cells: a comma, or what spreadsheets of many countries write instead."""
    header = text.partition("\n")[0]
    return max(",;\t", key=header.count)


def _csv(text: str, name: str, delimiter: str) -> DataTable:
    csv.field_size_limit(2**31 - 1)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows, lines, problems = [], [], []
    try:
        header = next(reader, [])
        start = reader.line_num + 1
        for cells in reader:
            line, start = start, reader.line_num + 1
            if not cells:
                continue
            if len(cells) != len(header):
                message = f"the row has {len(cells)} cells, the header {len(header)}"
                problems.append(Problem(where=f"{name}:{line}", message=message, hint="quote cells that hold commas"))
                continue
            rows.append(dict(zip(header, cells, strict=True)))
            lines.append(line)
    except csv.Error as fault:
        problems.append(Problem(where=f"{name}:{reader.line_num}", message=f"not valid CSV: {fault}"))
    if problems:
        raise DataError(*shortened(problems))
    return table_of(rows, name=name, lines=lines)


def _parquet(content: bytes, name: str) -> DataTable:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        rows = pq.ParquetFile(pa.BufferReader(content)).read().to_pylist()
    except (pa.ArrowException, OSError) as fault:
        raise DataError(Problem(where=name, message=f"not valid Parquet: {str(fault).splitlines()[0]}")) from None
    return table_of(rows, name=name)


def shortened(problems: Sequence[Problem], most: int = 20) -> list[Problem]:
    """Return the first problems, and how many more there are."""
    more = [Problem(message=f"and {len(problems) - most} more")] if len(problems) > most else []
    return [*problems[:most], *more]
