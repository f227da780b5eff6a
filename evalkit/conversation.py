"""A prompt's conversation as a model meets it: system prompt first, a user turn at a time, its own answers between."""

from __future__ import annotations

from collections.abc import Sequence

from evalkit.calls import Message
from evalkit.records import Prompt


def turns(prompt: Prompt) -> int:
    """Return how many answers the prompt asks for: user messages that no given answer follows."""
    followers = (*prompt.messages[1:], None)
    return sum(
        message.role == "user" and (after is None or after.role != "assistant")
        for message, after in zip(prompt.messages, followers, strict=True)
    )


def conversation(prompt: Prompt, answers: Sequence[str], *, system: str | None = None) -> tuple[Message, ...]:
    """Return the messages to send for the next answer, after the model gave `answers` to the turns before.

    A system message of the prompt itself stands; `system` is used where the prompt has none.

    Raises:
        ValueError: every turn is answered already.
    """
    left = iter(answers)
    sent: list[Message] = []
    if system and not any(message.role == "system" for message in prompt.messages):
        sent.append(Message("system", system))
    followers = (*prompt.messages[1:], None)
    for message, after in zip(prompt.messages, followers, strict=True):
        sent.append(message)
        if message.role == "user" and (after is None or after.role != "assistant"):
            answer = next(left, None)
            if answer is None:
                return tuple(sent)
            sent.append(Message("assistant", answer))
    problem = f"prompt {prompt.id} has no turn after {len(answers)} answers"
    raise ValueError(problem)
