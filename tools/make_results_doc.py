"""Make docs/results.schema.json and the tables of docs/results.md from the fields of evalkit/results.py.

python tools/make_results_doc.py
"""

from __future__ import annotations

import ast
import inspect
import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from itertools import pairwise
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin

from evalkit.codec import hints_of
from evalkit.results import RESULTS_SCHEMA, Results

DOCS = Path(__file__).resolve().parent.parent / "docs"
DOCUMENT, SCHEMA = DOCS / "results.md", DOCS / "results.schema.json"
START, END = "<!-- made by tools/make_results_doc.py -->\n", "<!-- end -->"
KINDS = {str: "text", int: "whole number", float: "number or null", bool: "true or false", object: "any"}
JSON_KINDS: dict[object, dict[str, Any]] = {
    str: {"type": "string"}, int: {"type": "integer"}, float: {"type": ["number", "null"]}, bool: {"type": "boolean"},
    object: {},
}  # fmt: skip


def docstrings(record: type) -> dict[str, str]:
    """Return the docstring under each field of a record."""
    (body,) = (node.body for node in ast.parse(inspect.getsource(record)).body if isinstance(node, ast.ClassDef))
    return {
        field.target.id: " ".join(str(text.value.value).split())
        for field, text in pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
    }


def records(record: type, path: str = "") -> Iterator[tuple[str, type]]:
    """Yield every object and row that a record holds, with its path; `[]` is each row of a list."""
    for name, hint in hints_of(record).items():
        kind, place = hint, f"{path}.{name}" if path else name
        while get_args(kind):
            place += {tuple: "[]", Mapping: "{}"}.get(get_origin(kind), "")
            kind = get_args(kind)[-1 if get_origin(kind) is Mapping else 0]
        if is_dataclass(kind) and isinstance(kind, type):
            yield place, kind
            yield from records(kind, place)


def words(hint: Any) -> str:
    """Say what kind of JSON value an annotation stands for."""
    inner = get_args(hint)
    if is_dataclass(hint):
        return "object"
    if get_origin(hint) is UnionType:
        return words(inner[0]).removesuffix(" or null") + " or null"
    if get_origin(hint) is tuple:
        rows = {"text": "texts", "object": "rows", "whole number": "whole numbers"}
        return f"list of {rows.get(words(inner[0]), 'lists')}"
    if get_origin(hint) is Mapping:
        return "object: " + words(inner[1])
    return KINDS[hint]


def table(record: type, extra: Mapping[str, tuple[str, str]] | None = None) -> str:
    """Return the table of a record's keys."""
    said = docstrings(record)
    rows = [(name, *about) for name, about in (extra or {}).items()]
    for field in fields(record):
        kind = words(hints_of(record)[field.name])
        if field.metadata.get("left_out"):
            kind = f"{kind.removesuffix(' or null')}, or absent"
        rows.append((field.name, kind, said[field.name]))
    lines = ["| key | kind | what it holds |", "|---|---|---|"]
    return "\n".join([*lines, *(f"| `{name}` | {kind} | {text.rstrip('.')} |" for name, kind, text in rows)])


def tables() -> str:
    """Return all tables: the file's keys, then each object's and row's."""
    parts = [table(Results, {"schema": ("text", f"`{RESULTS_SCHEMA}`")})]
    shown: dict[type, str] = {}
    for path, record in records(Results):
        if record in shown:
            parts[parts.index(shown[record])] = shown[record] = shown[record].replace("`\n\n", f"`, `{path}`\n\n", 1)
            continue
        shown[record] = f"### `{path}`\n\n{inspect.getdoc(record)}\n\n{table(record)}"
        parts.append(shown[record])
    return "\n\n".join(parts) + "\n"


def document(text: str) -> str:
    """Return docs/results.md with its tables as they should be."""
    made = re.escape(START) + r".*?" + re.escape(END)
    return re.sub(made, lambda _: f"{START}\n{tables()}\n{END}", text, flags=re.DOTALL)


def described(hint: Any) -> dict[str, Any]:
    """Return the JSON schema of an annotation."""
    inner = get_args(hint)
    if is_dataclass(hint) and isinstance(hint, type):
        return {"$ref": f"#/$defs/{hint.__name__}"}
    if get_origin(hint) is UnionType:
        own = described(inner[0])
        return own if "null" in own.get("type", ()) else {"anyOf": [own, {"type": "null"}]}
    if get_origin(hint) is tuple:
        return {"type": "array", "items": described(inner[0])}
    if get_origin(hint) is Mapping:
        return {"type": "object", "additionalProperties": described(inner[1])}
    return JSON_KINDS[hint]


def schema_of(record: type) -> dict[str, Any]:
    """Return the JSON schema of a record: every key it is written with is required, and others may come."""
    said, hints = docstrings(record), hints_of(record)
    return {
        "type": "object",
        "description": inspect.getdoc(record),
        "properties": {name: {**described(hint), "description": said[name]} for name, hint in hints.items()},
        "required": [field.name for field in fields(record) if not field.metadata.get("left_out")],
    }


def schema() -> str:
    """Return docs/results.schema.json."""
    whole = schema_of(Results)
    whole["properties"] = {"schema": {"const": RESULTS_SCHEMA}, **whole["properties"]}
    whole["required"] = ["schema", *whole["required"]]
    made = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "results.json",
        **whole,
        "$defs": {record.__name__: schema_of(record) for _, record in records(Results)},
    }
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def main() -> int:
    """Write both files."""
    DOCUMENT.write_text(document(DOCUMENT.read_text("utf-8")), "utf-8")
    SCHEMA.write_text(schema(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
