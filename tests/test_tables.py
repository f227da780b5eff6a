"""One reader of tables: every format and spelling gives the same rows, whichever command reads them."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from evalkit.cli.main import main
from evalkit.errors import DataError
from evalkit.exchange.reader import SourceFile, read_rows
from evalkit.files import read_table
from evalkit.tables import FORMATS, parse_table

Capture = pytest.CaptureFixture[str]
ROWS = [
    {"id": "1", "prompt": 'Line one\nline two, with a comma; a semicolon and "quotes"', "winner": "candidate"},
    {"id": "2", "prompt": "a line separator \u2028 inside", "winner": "tie"},
]


def separated(mark: str, ends: str = "\n") -> bytes:
    """Return `ROWS` with their cells parted by `mark` and their lines by `ends`."""
    quoted = [[f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in row.values()] for row in ROWS]
    return ends.join(mark.join(cells) for cells in [list(ROWS[0]), *quoted]).encode()


def parquet(rows: list[dict[str, Any]]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), sink)
    return sink.getvalue()


LINES = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS).encode()
LIST = json.dumps(ROWS, ensure_ascii=False).encode()
CONTENTS: dict[str, tuple[str, bytes, list[str]]] = {
    "commas": ("t.csv", separated(","), ["t.csv:2", "t.csv:4"]),
    "semicolons": ("t.csv", separated(";"), ["t.csv:2", "t.csv:4"]),
    "tabs in .csv": ("t.csv", separated("\t"), ["t.csv:2", "t.csv:4"]),
    "tabs": ("t.tsv", separated("\t"), ["t.tsv:2", "t.tsv:4"]),
    "byte order mark": ("t.csv", b"\xef\xbb\xbf" + separated(";"), ["t.csv:2", "t.csv:4"]),
    "Windows lines": ("t.csv", separated(",", "\r\n"), ["t.csv:2", "t.csv:4"]),
    "JSON lines": ("t.jsonl", LINES, ["t.jsonl:1", "t.jsonl:2"]),
    "JSON lines, other name": ("t.ndjson", LINES, ["t.ndjson:1", "t.ndjson:2"]),
    "JSON lines of Windows": ("t.jsonl", b"\xef\xbb\xbf" + LINES.replace(b"\n", b"\r\n"), ["t.jsonl:1", "t.jsonl:2"]),
    "JSON lines, empty ones between": ("t.jsonl", LINES.replace(b"\n", b"\n\n"), ["t.jsonl:1", "t.jsonl:3"]),
    "JSON": ("t.json", LIST, ["t.json, row 1", "t.json, row 2"]),
    "JSON, one list in an object": ("t.json", b'{"n": 2, "rows": ' + LIST + b"}", ["t.json, row 1", "t.json, row 2"]),
    "Parquet": ("t.parquet", parquet(ROWS), ["t.parquet, row 1", "t.parquet, row 2"]),
    "capitals": ("T.CSV", separated(","), ["T.CSV:2", "T.CSV:4"]),
}


@pytest.mark.parametrize("spelling", CONTENTS)
def test_every_format_gives_the_same_rows_to_prompts_and_to_imports(spelling: str, tmp_path: Path) -> None:
    name, content, places = CONTENTS[spelling]
    table = parse_table(content, name=name)
    assert list(table.rows) == ROWS
    assert [table.where(index) for index in range(2)] == places
    rows = read_rows(SourceFile(name=name, data=content))
    assert [dict(row.fields) for row in rows] == ROWS
    assert [row.where for row in rows] == places
    (tmp_path / name).write_bytes(content)
    assert read_table(tmp_path / name).rows == table.rows


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_one_file_of_a_spreadsheet_is_read_by_every_command(mark: str, tmp_path: Path, capsys: Capture) -> None:
    """A spreadsheet set to German writes semicolons: `import table` named five columns that were there."""
    path = tmp_path / "t.csv"
    header = ["id", "prompt", "language", "winner", "candidate", "baseline"]
    cells = [[str(n), f"Was ist, in Kürze, {n}?", "de", "candidate", f"Eins {n}", f"Zwei {n}"] for n in range(4)]
    lines = [mark.join(f'"{cell}"' if mark in cell else cell for cell in row) for row in [header, *cells]]
    path.write_bytes("\ufeff".encode() + "\r\n".join(lines).encode())
    assert main(["suites", "new", str(path), "--output", str(tmp_path / "s.yaml")]) == 0
    assert main(["suites", "check", str(tmp_path / "s.yaml")]) == 0
    assert main(["import", "table", str(path), "--out", str(tmp_path / "run")]) == 0, capsys.readouterr().err
    assert main(["calibrate", str(tmp_path / "run"), "--human", str(path)]) == 2
    assert "no labels: the columns are id, prompt, language" in capsys.readouterr().err


def test_commas_within_a_quoted_name_part_no_columns() -> None:
    table = parse_table(b'"id, as in the source, unique";text\n1;a\n', name="t.csv")
    assert table.columns == ("id, as in the source, unique", "text")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "t.csv",
            b"id,text\n1,a\n2,b,c\n",
            "t.csv:3: the row has 3 cells, the header 2\n    quote cells that hold ','",
        ),
        (
            "t.csv",
            b"id;text\n1;a\n2;b;c\n",
            "t.csv:3: the row has 3 cells, the header 2\n    quote cells that hold ';'",
        ),
        ("t.csv", b'id,text\n1,"a\nb"\n2,"c', "t.csv:4: not valid CSV: unexpected end of data"),
        ("t.csv", b"id,text\n", "t.csv: the file holds no rows"),
        ("t.csv", b"", "t.csv: the file holds no rows"),
        ("t.csv", "id,text\n1,a\n2,Grüße\n".encode("latin-1"), "t.csv:3: the text is not UTF-8\n    save it as UTF-8"),
        ("t.csv", "id,text\n1,a\n".encode("utf-16"), "t.csv:1: the text is not UTF-8\n    save it as UTF-8"),
        ("t.jsonl", b'{"id": 1}\n{"id": 2,\n{"id": 3}\n', "t.jsonl:2: not valid JSON: "),
        ("t.jsonl", b'{"id": 1}\n{"id": 2, "te', "ends too early: fetch it again"),
        ("t.jsonl", b'{"id": 1}\n[1]\n', "t.jsonl:2: the line is no JSON object, but a list"),
        ("t.json", b'[{"id": 1}\n{"id": 2}]', "t.json:2: not valid JSON"),
        ("t.json", b'[{"id": 1},\n{"id": "', "ends too early: fetch it again"),
        ("t.json", b'{"id": 1}\n{"id": 2}', "name the file .jsonl"),
        ("t.json", b"[]", "t.json: the file holds no rows"),
        ("t.json", b"7", "t.json: the file is no list of JSON objects, but a number"),
        ("t.json", b'{"a": 1}', "t.json: the file is no list of JSON objects, but an object"),
        ("t.json", b'[{"id": 1}, null]', "t.json, row 2: the row is no JSON object, but null"),
        ("t.parquet", b"PAR1", "t.parquet: not valid Parquet"),
        ("t.xlsx", b"x", "t.xlsx: unknown format '.xlsx'"),
        ("t", b"x", "t: unknown format 'without ending'"),
    ],
)
def test_what_is_wrong_is_said_alike_to_every_command(name: str, content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    for read in (
        lambda: parse_table(content, name=name),
        lambda: read_rows(SourceFile(name=name, data=content)),
        lambda: read_table(tmp_path / name, name=name),
    ):
        with pytest.raises(DataError) as raised:
            read()
        assert message in str(raised.value)


def test_text_in_parquet_that_is_not_utf8_is_named() -> None:
    broken = pa.array([b"\xff"]).view(pa.string())
    sink = io.BytesIO()
    pq.write_table(pa.table({"text": broken}), sink)
    with pytest.raises(DataError, match=r"t\.parquet: not valid Parquet: .*utf-8"):
        parse_table(sink.getvalue(), name="t.parquet")


def test_a_hundred_rows_that_are_wrong_alike_are_one_problem() -> None:
    content = b"id,text\n1,a\n" + b"2,b,c\n" * 99 + b"3\n" + b"4,d\n"
    with pytest.raises(DataError) as raised:
        parse_table(content, name="t.csv")
    assert [str(problem).partition("\n")[0] for problem in raised.value.problems] == [
        "t.csv:3: the row has 3 cells, the header 2 (and 98 more like this)",
        "t.csv:102: the row has 1 cells, the header 2",
    ]


@pytest.mark.parametrize("named", ["folder.csv", "gone.csv"])
def test_a_file_that_cannot_be_read_is_named(named: str, tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(DataError, match=r"(folder\.csv: a folder stands where a file should|gone\.csv: no such file)"):
        read_table(tmp_path / named)


def test_the_formats_are_those_that_the_message_lists() -> None:
    with pytest.raises(DataError) as raised:
        parse_table(b"", name="t.txt")
    assert all(ending in str(raised.value) for ending in FORMATS)
