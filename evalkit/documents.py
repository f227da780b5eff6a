"""YAML that people write, read into strict models with every problem named by file, line, path and closest word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from evalkit.errors import InputError, Problem, did_you_mean, raise_all

Path = tuple[str | int, ...]
M = TypeVar("M", bound=BaseModel)


class Document:
    """A parsed YAML text that knows on which line each path stands."""

    def __init__(self, text: str, *, name: str, error: type[InputError] = InputError) -> None:
        """Parse `text`; `name` is what messages call the file.

        Raises:
            InputError: the text is no YAML, not a mapping, or names a key twice.
        """
        self.name = name
        self.error = error
        try:
            root = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as fault:
            line = fault.problem_mark.line + 1 if fault.problem_mark else 1
            raise error(
                Problem(where=f"{name}:{line}", message=f"not valid YAML: {fault.problem or fault.context}")
            ) from None
        except yaml.YAMLError as fault:
            raise error(Problem(where=name, message=f"not valid YAML: {fault}")) from None
        if not isinstance(root, yaml.MappingNode):
            hint = "write `key: value` lines; see `evalkit suites show quickstart`"
            raise error(Problem(where=name, message="the file is empty or not a mapping", hint=hint))
        self._lines: dict[Path, int] = {}
        raise_all(list(self._walk(root, ())), error)
        self.data: dict[str, Any] = yaml.safe_load(text)

    def _walk(self, node: yaml.Node, path: Path) -> Iterator[Problem]:
        self._lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            seen: set[str] = set()
            for key, value in node.value:
                if key.value in seen:
                    where = f"{self.name}:{key.start_mark.line + 1}"
                    yield Problem(where=where, message=f"key {key.value!r} stands twice", hint="keep one of them")
                seen.add(key.value)
                self._lines[(*path, key.value)] = key.start_mark.line + 1
                yield from self._walk(value, (*path, key.value))
        elif isinstance(node, yaml.SequenceNode):
            for index, value in enumerate(node.value):
                yield from self._walk(value, (*path, index))

    def where(self, path: Path = ()) -> str:
        """Return `file:line (a.b[0])` of the path, or of its closest parent that stands in the file."""
        parent = path
        while parent and parent not in self._lines:
            parent = parent[:-1]
        dotted = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
        return f"{self.name}:{self._lines.get(parent, 1)}" + (f" ({dotted})" if dotted else "")

    def problem(self, path: Path, message: str, hint: str = "") -> Problem:
        """Return a problem that stands at `path`."""
        return Problem(where=self.where(path), message=message, hint=hint)

    def validate(self, model: type[M]) -> M:
        """Return the document as `model`.

        Raises:
            InputError: all problems of the file at once (of the type given to the constructor).
        """
        try:
            return model.model_validate(self.data)
        except ValidationError as fault:
            raise self.error(*self._problems(model, fault)) from None

    def _problems(self, model: type[BaseModel], fault: ValidationError) -> Iterator[Problem]:
        for item in fault.errors(include_url=False):
            path = tuple(part for part in item["loc"] if part in _keys_on(self.data, item["loc"]))
            path = path or tuple(item["loc"][:1])
            if item["type"] == "extra_forbidden":
                choices = sorted(_fields_at(model, item["loc"][:-1]))
                yield self.problem(
                    path, f"unknown key {item['loc'][-1]!r}", did_you_mean(str(item["loc"][-1]), choices)
                )
            elif item["type"] == "missing":
                yield self.problem(path, f"key {item['loc'][-1]!r} is missing", "add it")
            else:
                message = item["msg"].removeprefix("Value error, ")
                value = item["input"]
                shown = (
                    f", not {value!r}"
                    if isinstance(value, str | int | float | bool) and repr(value) not in message
                    else ""
                )
                hint = did_you_mean(str(value), _words(item)) if shown and _words(item) else ""
                yield self.problem(path, f"{message[:1].lower()}{message[1:]}{shown}", hint)


def _words(item: Any) -> list[str]:
    """Return the words a value must be one of, where pydantic says so."""
    closed = item["type"] in {"enum", "literal_error"}
    return re.findall(r"'([^']*)'", item["ctx"]["expected"]) if closed else []


def _keys_on(data: Any, loc: tuple[str | int, ...]) -> set[str | int]:
    """Parts of pydantic's location that are keys of the data (it also names union branches), last part included."""
    found: set[str | int] = {loc[-1]} if loc else set()
    for part in loc:
        in_list = isinstance(data, list) and isinstance(part, int) and part < len(data)
        if in_list or (isinstance(data, dict) and part in data):
            found.add(part)
            data = data[part]
    return found


def _fields_at(model: type[BaseModel], loc: tuple[str | int, ...]) -> set[str]:
    """Names of the fields a mapping at `loc` may have, as far as the annotations tell."""
    models = {model}
    for part in loc:
        found: set[type[BaseModel]] = set()
        for each in models:
            if isinstance(part, str) and part in each.model_fields:
                found |= _models_in(each.model_fields[part].annotation)
        models = found or models
    return {field.alias or name for each in models for name, field in each.model_fields.items()}


def _models_in(annotation: Any) -> set[type[BaseModel]]:
    """Model classes named anywhere in an annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return {annotation}
    return set().union(*(_models_in(part) for part in getattr(annotation, "__args__", ())))
