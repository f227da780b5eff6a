"""Reasoning that models write between tags before their answer: the one list of tags, and how to take it off."""

from __future__ import annotations

import re

_OPEN = re.compile(r"\s*(?:<(think|thinking|thought)>|\[(THINK)\])", re.IGNORECASE)
_CLOSE = re.compile(r"</(?:think|thinking|thought)>|\[/THINK\]", re.IGNORECASE)


def split_reasoning(text: str) -> tuple[str, str]:
    """Return (answer, reasoning) of a text that may begin with reasoning between tags.

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


def without_reasoning(text: str) -> str:
    """Return a reply without the reasoning it begins with; a reply without an opening tag stays as it is.

    The last closing tag ends the reasoning: a model that reasons about an answer may quote a tag of that answer.
    """
    text = text.strip()
    opened = _OPEN.match(text)
    if not opened:
        return text
    ends = [closed.end() for closed in _CLOSE.finditer(text, opened.end())]
    return text[ends[-1] :].strip() if ends else ""
