"""Read records from JSON values by their annotations, and name everything that does not fit.

    str, int, bool      as they are
    float               a number; null is NaN, for JSON has no word for undefined
    X | None            null where there is none
    tuple[X, ...]       a list
    Mapping[str, X]     an object whose keys are data
    object              any JSON value
    a record            an object with the record's fields as keys

A key may be absent where the field has a default, and keys that are no field are ignored: so files of older and newer
versions are read. `records.json_ready` is the other direction.
"""

from __future__ import annotations

import json
import math
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")
Faults = list[tuple[str, str]]
"""(path inside the document, what is wrong) of each fault."""
_Reader = Callable[[Any, str, Faults], Any]
_WORDS = {str: "a text", int: "a whole number", float: "a number or null", bool: "true or false"}


def read_record(record: type[T], value: object) -> tuple[T | None, Faults]:
    """Return the record that a JSON value stands for; None, and every fault, where it stands for none."""
    faults: Faults = []
    found: T = _record_reader(record)(value, "", faults)
    return (None if faults else found), faults


def hints_of(record: type) -> dict[str, Any]:
    """Return the annotation of each field of a record."""
    hints = get_type_hints(record)
    return {field.name: hints[field.name] for field in fields(record)}


@cache
def _reader(kind: Any) -> _Reader:
    """Return the function that reads values of one annotation: value, path, faults to add to."""
    origin, inner = get_origin(kind), get_args(kind)
    if kind is object:
        return lambda value, _path, _faults: value
    if is_dataclass(kind):
        return _record_reader(kind)
    if origin is UnionType:
        return _optional_reader(next(each for each in inner if each is not type(None)))
    if origin is tuple:
        return _list_reader(inner[0])
    if origin is Mapping:
        return _mapping_reader(inner[1])
    return _plain_reader(kind)


def _plain_reader(kind: type) -> _Reader:
    allowed = {float, int} if kind is float else {kind}

    def read(value: Any, path: str, faults: Faults) -> Any:
        if type(value) in allowed:
            return value
        if value is None and kind is float:
            return math.nan
        faults.append((path, f"{_shown(value)} is not {_WORDS[kind]}"))
        return None

    return read


def _optional_reader(kind: Any) -> _Reader:
    inner = _reader(kind)
    return lambda value, path, faults: None if value is None else inner(value, path, faults)


def _list_reader(kind: Any) -> _Reader:
    inner = _reader(kind)
    quickly = _table_reader(kind) if is_dataclass(kind) else None

    def read(value: Any, path: str, faults: Faults) -> Any:
        if not isinstance(value, list):
            faults.append((path, f"{_shown(value)} is not a list"))
            return None
        if quickly is not None and (rows := quickly(value)) is not None:
            return rows
        return tuple([inner(item, f"{path}[{index}]", faults) for index, item in enumerate(value)])

    return read


def _table_reader(record: Any) -> Callable[[list[Any]], tuple[Any, ...] | None] | None:
    """Return the quick way to read many flat rows, column by column; None where a field is no plain value.

    The quick way itself returns None where a key is missing or a value is of another kind: the rows are then read one
    by one, which names the fault. A board of 200 runs holds some 200,000 rows.
    """
    plain = {str, int, float, bool}
    hints = hints_of(record)
    kinds = {
        name: next(each for each in get_args(kind) or (kind,) if each is not type(None)) for name, kind in hints.items()
    }
    if not all(kind in plain and get_origin(hints[name]) in {None, UnionType} for name, kind in kinds.items()):
        return None
    allowed = {
        name: {
            kind,
            *({int} if kind is float else ()),
            *({type(None)} if kind is float or get_args(hints[name]) else ()),
        }
        for name, kind in kinds.items()
    }
    undefined = [index for index, kind in enumerate(hints.values()) if kind is float]

    def read(rows: list[Any]) -> tuple[Any, ...] | None:
        try:
            columns = [[row[name] for row in rows] for name in allowed]
        except (KeyError, TypeError):
            return None
        if not all(kinds >= set(map(type, column)) for column, kinds in zip(columns, allowed.values(), strict=True)):
            return None
        for index in undefined:
            columns[index] = [math.nan if value is None else value for value in columns[index]]
        records = [object.__new__(record) for _ in rows]
        for name, column in zip(allowed, columns, strict=True):
            deque(map(getattr(record, name).__set__, records, column), maxlen=0)
        return tuple(records)

    return read


def _mapping_reader(kind: Any) -> _Reader:
    inner = _reader(kind)

    def read(value: Any, path: str, faults: Faults) -> Any:
        if not isinstance(value, dict):
            faults.append((path, f"{_shown(value)} is not an object"))
            return None
        return {name: inner(item, f"{path}.{name}", faults) for name, item in value.items()}

    return read


def _record_reader(record: Any) -> _Reader:
    hints = hints_of(record)
    plan = [(field.name, _reader(hints[field.name]), _required(field)) for field in fields(record)]

    def read(value: Any, path: str, faults: Faults) -> Any:
        if not isinstance(value, dict):
            faults.append((path, f"{_shown(value)} is not an object"))
            return None
        start, before = f"{path}." if path else "", len(faults)
        given: dict[str, Any] = {}
        for name, inner, required in plan:
            if name in value:
                given[name] = inner(value[name], start + name, faults)
            elif required:
                faults.append((start + name, "missing"))
        return None if len(faults) > before else record(**given)

    return read


def _required(field: Any) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _shown(value: object) -> str:
    """Return a value for a message: a container by its kind, anything else as JSON writes it, cut to 60 letters."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    return json.dumps(value, ensure_ascii=False)[:60]
