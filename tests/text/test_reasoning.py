"""The judge sees the answer; the reasoning is kept apart."""

from __future__ import annotations

import pytest

from evalkit.text.reasoning import split_reasoning


@pytest.mark.parametrize(
    ("text", "reasoning", "answer"),
    [
        ("<think>\nweigh it\n</think>\n\nParis.", "weigh it", "Paris."),
        ("weigh it\n</think>\n\nParis.", "weigh it", "Paris."),
        ("<think>never end", "never end", ""),
        ("<think></think>Paris.", "", "Paris."),
        ("  Paris.\n", "", "  Paris.\n"),
        ("Use the tag <think> in XML.", "", "Use the tag <think> in XML."),
        ("", "", ""),
        ("<think>思考</think>巴黎。", "思考", "巴黎。"),
    ],
)
def test_reasoning_and_answer_are_told_apart(text: str, reasoning: str, answer: str) -> None:
    assert split_reasoning(text) == (answer, reasoning)
