"""Question and answer files that stand beside judgments (Arena-Hard, MT-Bench): told apart by their keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from evalkit.exchange.reader import SourceRow
from evalkit.tables import content_of


@dataclass(frozen=True, slots=True)
class Beside:
    """Rows of several files by what they are."""

    judgments: list[SourceRow]
    questions: dict[str, SourceRow]
    """By question id."""
    answers: dict[tuple[str, str], str]
    """(model, question id) → answer to the last turn."""


def sort_rows(rows: Iterable[SourceRow], is_judgment: str) -> Beside:
    """Sort rows into judgments (they have the key `is_judgment`), answers (choices, messages) and questions."""
    beside = Beside([], {}, {})
    for row in rows:
        if is_judgment in row.fields:
            beside.judgments.append(row)
        elif "choices" in row.fields or "messages" in row.fields:
            model = str(row.fields.get("model_id") or row.fields.get("model"))
            beside.answers[model, identifier(row.fields)] = _answer(row.fields)
        elif "turns" in row.fields or "prompt" in row.fields:
            beside.questions[identifier(row.fields)] = row
        else:
            beside.judgments.append(row)  # neither: its missing keys are named by whoever reads judgments
    return beside


def identifier(fields: Mapping[str, Any]) -> str:
    """Return a question's id: `uid` since Arena-Hard v2.0, `question_id` before and in MT-Bench."""
    return str(fields.get("uid") or fields.get("question_id") or "")


def question_text(row: SourceRow | None) -> str | None:
    """Return a question's text, its turns joined."""
    if row is None:
        return None
    turns = row.fields.get("turns") or [row.fields.get("prompt", "")]
    return "\n\n".join(str(content_of(turn) or "") for turn in turns)


def _answer(fields: Mapping[str, Any]) -> str:
    turns = fields.get("messages") or fields["choices"][0]["turns"]
    return str(content_of(turns[-1]) or "")
