"""The one reader of tables: a file's bytes in, its rows out, each with its place for messages.

JSON, JSON lines, CSV, TSV and Parquet. Prompts, recorded answers, labels of people and other tools' judgments are all
read here, so that a file which one command reads, every command reads.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evalkit.errors import DataError, Problem, ProblemList, did_you_mean

FORMATS = (".ndjson", ".jsonl", ".json", ".csv", ".tsv", ".parquet")
LONGEST_HEADER = 100_000
"""Characters of a CSV file among which its header is looked for."""
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


def format_of(name: str) -> str:
    """Return the ending that says a file's format, "" where its name has none that is known."""
    _, dot, ending = name.rpartition(".")
    return f".{ending.lower()}" if dot and f".{ending.lower()}" in FORMATS else ""


def parse_table(content: bytes, *, name: str, suffix: str = "") -> DataTable:
    """Read the content of a file.

    Args:
        content: The bytes of the file.
        name: What messages call the file.
        suffix: One of `FORMATS`, where the ending of the name does not say it.

    Raises:
        DataError: the format is unknown, the content is broken (with the line) or holds no rows.
    """
    ending = suffix or format_of(name)
    if not ending:
        last = name.replace("\\", "/").rpartition("/")[2]
        unknown = f".{last.rpartition('.')[2]}" if "." in last else "without ending"
        hint = f"one of: {', '.join(FORMATS)}"
        raise DataError(Problem(where=name, message=f"unknown format {unknown!r}", hint=hint))
    if ending == ".parquet":
        table = _parquet(content, name)
    elif ending in {".jsonl", ".ndjson"}:
        table = _jsonl(decoded(content, name=name), name)
    elif ending == ".json":
        table = _json(content, name)
    else:
        text = decoded(content, name=name)
        table = _csv(text, name, "\t" if ending == ".tsv" else _delimiter(text))
    if not table.rows:
        raise DataError(Problem(where=name, message="the file holds no rows"))
    return table


def parse_json(content: bytes, *, name: str) -> Any:
    """Read the content of a JSON file.

    Raises:
        DataError: it is no UTF-8 or no JSON, as when it was cut off.
    """
    text = decoded(content, name=name)
    try:
        return json.loads(text)
    except json.JSONDecodeError as fault:
        hint = "one object a line is JSONL: name the file .jsonl" if fault.msg == "Extra data" else _cut_off(fault)
        problem = Problem(where=f"{name}:{fault.lineno}", message=f"not valid JSON: {fault.msg}", hint=hint)
        raise DataError(problem) from None


def decoded(content: bytes, *, name: str) -> str:
    """Return a file's text, without its byte order mark.

    Raises:
        DataError: it is no UTF-8; the message names the line.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = content[: fault.start].count(b"\n") + 1
        raise DataError(
            Problem(where=f"{name}:{line}", message="the text is not UTF-8", hint="save it as UTF-8")
        ) from None


def kind_of(value: Any) -> str:
    """Return what a JSON value is, in words."""
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


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


def content_of(turn: Any) -> Any:
    """Return the content of a turn of a conversation; Arena-Hard writes it as {"answer": text}."""
    content = turn.get("content") if isinstance(turn, Mapping) else turn
    return content.get("answer") if isinstance(content, Mapping) else content


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


def _cut_off(fault: json.JSONDecodeError) -> str:
    """Return what to do where the text ends before its JSON does."""
    ended = fault.pos >= len(fault.doc.rstrip()) or fault.msg.startswith("Unterminated string")
    return "the file ends too early: fetch it again" if ended else ""


def _jsonl(text: str, name: str) -> DataTable:
    """Split at line feeds only: other separators (U+2028 …) stand inside texts."""
    rows, lines, problems = [], [], ProblemList()
    every_line = text.rstrip().split("\n")
    for number, line in enumerate(every_line, start=1):
        if not line.strip():
            continue
        where = f"{name}:{number}"
        try:
            row = json.loads(line)
        except json.JSONDecodeError as fault:
            hint = _cut_off(fault) if number == len(every_line) else ""
            problems.add(Problem(where=where, message=f"not valid JSON: {fault.msg}", hint=hint), kind="JSON")
            continue
        if not isinstance(row, dict):
            message = f"the line is no JSON object, but {kind_of(row)}"
            problems.add(Problem(where=where, message=message), kind="object")
            continue
        rows.append(row)
        lines.append(number)
    problems.check(DataError)
    return table_of(rows, name=name, lines=lines)


def _json(content: bytes, name: str) -> DataTable:
    data = parse_json(content, name=name)
    if isinstance(data, dict):
        lists = [value for value in data.values() if isinstance(value, list)]
        if data and all(isinstance(value, str) for value in data.values()):
            data = [{"id": key, "text": value} for key, value in data.items()]
        elif len(lists) == 1:
            data = lists[0]
    if not isinstance(data, list):
        message = f"the file is no list of JSON objects, but {kind_of(data)}"
        raise DataError(Problem(where=name, message=message, hint='write a list of rows: [{"id": "1", …}, …]'))
    if all(isinstance(row, str) for row in data):
        data = [{"text": row} for row in data]
    table, problems = table_of([row if isinstance(row, dict) else {} for row in data], name=name), ProblemList()
    for index, row in enumerate(data):
        if not isinstance(row, dict):
            message = f"the row is no JSON object, but {kind_of(row)}"
            problems.add(Problem(where=table.where(index), message=message), kind="object")
    problems.check(DataError)
    return table


def _delimiter(text: str) -> str:
    """Return what parts the header's cells: a comma, or what spreadsheets of many countries write instead."""
    header = re.sub(r'"[^"]*"', "", text[:LONGEST_HEADER].lstrip("\r\n")).partition("\n")[0]
    return max(",;\t", key=header.count)


def _csv(text: str, name: str, delimiter: str) -> DataTable:
    csv.field_size_limit(2**31 - 1)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows, lines, problems = [], [], ProblemList()
    try:
        header = next((cells for cells in reader if cells), [])
        start = reader.line_num + 1
        for cells in reader:
            line, start = start, reader.line_num + 1
            if not cells:
                continue
            if len(cells) != len(header):
                message = f"the row has {len(cells)} cells, the header {len(header)}"
                hint = f"quote cells that hold {delimiter!r}"
                problems.add(Problem(where=f"{name}:{line}", message=message, hint=hint), kind=len(cells))
                continue
            rows.append(dict(zip(header, cells, strict=True)))
            lines.append(line)
    except csv.Error as fault:
        problems.add(Problem(where=f"{name}:{reader.line_num}", message=f"not valid CSV: {fault}"))
    problems.check(DataError)
    return table_of(rows, name=name, lines=lines)


def _parquet(content: bytes, name: str) -> DataTable:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        rows = pq.ParquetFile(pa.BufferReader(content)).read().to_pylist()
    except (pa.ArrowException, OSError, UnicodeDecodeError) as fault:
        raise DataError(Problem(where=name, message=f"not valid Parquet: {str(fault).splitlines()[0]}")) from None
    return table_of(rows, name=name)
