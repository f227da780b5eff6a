"""Tell a model's reasoning from its answer, where both come in one text between think tags."""

from __future__ import annotations

OPEN, CLOSE = "<think>", "</think>"


def split_reasoning(text: str) -> tuple[str, str]:
    """Return (reasoning, answer).

    Understands a closed block, a block whose opening tag stood in the prompt (only the closing tag is in the text), and
    a block that was cut off before its end (all of it is reasoning, the answer is empty). A text without such a block
    comes back untouched.
    """
    opened = text.lstrip().startswith(OPEN)
    body = text.lstrip().removeprefix(OPEN) if opened else text
    reasoning, closed, answer = body.partition(CLOSE)
    if closed:
        return reasoning.strip(), answer.strip()
    return (body.strip(), "") if opened else ("", text)
