"""The layouts that recorded answers come in: AlpacaEval, Arena-Hard, FastChat, plain tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from evalkit.data.rows import GUESSES, first_of
from evalkit.errors import DataError, Problem, ProblemList
from evalkit.suite import ModelConfig
from evalkit.tables import DataTable, Row, as_text, content_of, value_of

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
    """Id of the prompt, as the file has it."""
    prompt: str | None
    """Text of the prompt, where the file holds it."""
    turns: tuple[str, ...]
    """The answer to each turn of the prompt; () where the row has none."""
    model: str | None
    """Who answered, as the file says."""


def column_of(config: ModelConfig, table: DataTable, name: str) -> str | None:
    """Return which column holds a field: as the suite says, else by its usual name."""
    named = config.columns.get(name)
    return named if named is not None else first_of(USUAL[name], table.columns)


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
        message = f"no column holds the answers; there are: {', '.join(table.columns)}"
        hint = "rename it to `answer`, or name it in the suite: `columns: {answer: …}`"
        raise DataError(Problem(where=table.name, message=message, hint=hint))
    answers, problems = [], ProblemList()
    for index in rows:
        row = table.rows[index]
        try:
            turns, asked = _conversation(row) if talks and "answer" not in config.columns else ((), None)
            if not turns and columns["answer"] is not None:
                turns = _turns(value_of(row, columns["answer"]))
        except ValueError as fault:
            problems.add(Problem(where=table.where(index), message=str(fault)), kind=table.name)
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
    problems.check(DataError)
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
    """Return the answers and the question of Arena-Hard's `messages` or FastChat's `choices[0].turns`.

    In Arena-Hard's files a message's content may be {"answer": …}.
    """
    choices = row.get("choices")
    if isinstance(choices, list) and choices and isinstance(choices[0], Mapping):
        return _turns(choices[0].get("turns")), None
    answered: list[str] = []
    asked: list[str] = []
    for message in row.get("messages") or ():
        if not isinstance(message, Mapping):
            continue
        if message.get("role") == "assistant":
            answered += _turns(content_of(message))
        elif message.get("role") == "user":
            asked.append(as_text(content_of(message)))
    return tuple(answered), "\n\n".join(asked) or None
