"""Reasoning written between tags at the head of an answer, separated from the answer."""

from __future__ import annotations

import re

_OPEN = re.compile(r"\s*(?:<(think|thinking|thought)>|\[(THINK)\])", re.IGNORECASE)
_CLOSE = re.compile(r"</(?:think|thinking|thought)>|\[/THINK\]", re.IGNORECASE)


def split_reasoning(text: str) -> tuple[str, str]:
    """Return (answer, reasoning) of a text that may begin with reasoning between think tags.

    Where the opening tag stands in the chat template, the text holds the closing one only. Reasoning that is never
    closed was cut off: there is no answer then. Tags further down belong to the answer.
    """
    opened = _OPEN.match(text)
    start = opened.end() if opened else 0
    closed = _CLOSE.search(text, start)
    if closed and (opened or not _OPEN.search(text[: closed.start()])):
        return text[closed.end() :].lstrip("\n"), text[start : closed.start()].strip()
    if opened:
        return "", text[start:].strip()
    return text, ""
