"""The layouts that recorded answers come in: AlpacaEval, Arena-Hard, FastChat, plain tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from evalkit.data.rows import GUESSES
from evalkit.errors import DataError, Problem
from evalkit.suite import ModelConfig
from evalkit.tables import DataTable, Row, as_text, shortened, value_of

USUAL: dict[str, tuple[str, ...]] = {
    "id": GUESSES["id"],
    "prompt": ("prompt", "instruction", "question", "inputs", "input", "query"),
    "answer": ("answer", "output", "response", "completion", "generation", "prediction", "text"),
    "language": GUESSES["language"],
    "model": ("model", "generator", "model_id"),
}
"""Where a field of a recorded answer is looked for when nothing names its column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One row of a file."""

    id: str | None
    prompt: str | None
    turns: tuple[str, ...]
    model: str | None


def column_of(config: ModelConfig, table: DataTable, name: str) -> str | None:
    """Return which column holds a field: as the suite says, else by its usual name."""
    told = config.columns.get(name)
    return told if told is not None else next((c for c in USUAL[name] if c in table.columns), None)


def answers_in(config: ModelConfig, table: DataTable, rows: Iterable[int]) -> list[Answer]:
    """Read the rows in whichever layout they are.

    Raises:
        DataError: no column holds the answers, or a cell does not hold one.
    """
    missing = table.missing(spec for spec in config.columns.values() if "{" not in spec)
    if missing:
        raise DataError(*missing)
    columns = {name: column_of(config, table, name) for name in USUAL}
    talks = "messages" in table.columns or "choices" in table.columns
    if columns["answer"] is None and not talks:
        listed = ", ".join(table.columns)
        hint = "rename it to `answer`, or name it in the suite: `columns: {answer: …}`"
        raise DataError(
            Problem(where=table.name, message=f"no column holds the answers; there are: {listed}", hint=hint)
        )
    answers, problems = [], []
    for index in rows:
        row = table.rows[index]
        try:
            turns, asked = _conversation(row) if talks and "answer" not in config.columns else ((), None)
            if not turns and columns["answer"] is not None:
                turns = _turns(value_of(row, columns["answer"]))
        except ValueError as fault:
            problems.append(Problem(where=table.where(index), message=str(fault)))
            continue
        cell = {name: value_of(row, spec) if spec else None for name, spec in columns.items()}
        answers.append(
            Answer(
                id=as_text(cell["id"]) or None,
                prompt=as_text(cell["prompt"]) or asked,
                turns=turns,
                model=as_text(cell["model"]) or None,
            )
        )
    if problems:
        raise DataError(*shortened(problems))
    return answers


def _turns(value: Any) -> tuple[str, ...]:
    """Return the answers of a cell: a text, or a list with one for each turn. No value is no answer."""
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    message = f"the answer is no text: {as_text(value)[:80]}"
    raise ValueError(message)


def _conversation(row: Row) -> tuple[tuple[str, ...], str | None]:
    """Read Arena-Hard's `messages` (content may be {"answer": …}) and FastChat's `choices[0].turns`."""
    choices = row.get("choices")
    if isinstance(choices, list) and choices and isinstance(choices[0], Mapping):
        return _turns(choices[0].get("turns")), None
    said: list[str] = []
    asked: list[str] = []
    for message in row.get("messages") or ():
        if not isinstance(message, Mapping):
            continue
        content = message.get("content")
        if isinstance(content, Mapping):
            content = content.get("answer")
        if message.get("role") == "assistant":
            said += _turns(content)
        elif message.get("role") == "user":
            asked.append(as_text(content))
    return tuple(said), "\n\n".join(asked) or None
