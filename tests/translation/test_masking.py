"""What is hidden from a translator comes back byte for byte, and a reply that lost a part of it is refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.translation.masking import mask, odd_lengths, question, unmask


@given(st.text(alphabet=st.sampled_from("ab `$\\{}[]()<>/\n\"':.,_@%#0ä你⟦⟧"), max_size=80))
@settings(max_examples=300, deadline=None)
def test_what_is_masked_comes_back_whole(text: str) -> None:
    masked = mask(text)
    if masked.text:
        assert unmask(masked.text, masked) == text
        assert unmask(f"  <text>{masked.text}</text>\n", masked) == text


def test_a_reply_that_lost_doubled_or_made_up_a_mark_is_no_translation() -> None:
    masked = mask("Use `a` and `b` here.")
    assert masked.text == "Use ⟦0⟧ and ⟦1⟧ here."
    assert unmask("⟦1⟧ dann ⟦ 0 ⟧", masked) == "`b` dann `a`"
    for reply, told in (
        ("⟦0⟧", "lost '`b`'"),
        ("⟦0⟧⟦1⟧⟦0⟧", "doubled '`a`'"),
        ("⟦0⟧⟦1⟧⟦7⟧", "made up mark 7"),
        (" ", "empty"),
    ):
        with pytest.raises(ValueError, match=told):
            unmask(reply, masked)


def test_a_text_that_holds_marks_gets_others() -> None:
    masked = mask("What does ⟦0⟧ mean in `x`?")
    assert masked.text == "What does ⟦0⟧ mean in ⟪0⟫?"
    assert "⟪0⟫" in question(masked, source="en", target="de")[0].content


def test_a_length_far_from_the_languages_usual_ratio_is_odd() -> None:
    sources = ["a" * 100] * 5
    assert odd_lengths(sources, ["b" * 60, "b" * 65, "b" * 55, "b" * 300, "b" * 5]) == [3, 4]
