"""What a judge was shown: the question and both answers, cut out of the text that it read.

Arena-Hard and MT-Bench store the judge's whole prompt; its marks are fixed words of their templates.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shown:
    """The parts of a judge's prompt, None where its template is not known."""

    question: str | None = None
    first: str | None = None
    """Answer of assistant A."""
    second: str | None = None


_ARENA_HARD = re.compile(
    r"<\|User Prompt\|>\n(?P<question>.*?)\n\n"
    r"<\|The Start of Assistant A's Answer\|>\n(?P<first>.*)\n<\|The End of Assistant A's Answer\|>\n\n"
    r"<\|The Start of Assistant B's Answer\|>\n(?P<second>.*)\n<\|The End of Assistant B's Answer\|>",
    re.DOTALL,
)
_MT_BENCH = re.compile(
    r"\[User Question\]\n(?P<question>.*?)\n\n"
    r"\[The Start of Assistant A's Answer\]\n(?P<first>.*)\n\[The End of Assistant A's Answer\]\n\n"
    r"\[The Start of Assistant B's Answer\]\n(?P<second>.*)\n\[The End of Assistant B's Answer\]",
    re.DOTALL,
)


def shown(text: str) -> Shown:
    """Return the parts of an Arena-Hard or MT-Bench judge prompt."""
    found = _ARENA_HARD.search(text) or _MT_BENCH.search(text)
    return Shown(found["question"], found["first"], found["second"]) if found else Shown()
