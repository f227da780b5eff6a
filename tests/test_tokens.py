"""Token counts before anything is asked."""

from __future__ import annotations

import socket

import pytest

from evalkit.pricing import count_tokens


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("Hello, world!", 4),
        ("antidisestablishmentarianism", 6),
        ("2 + 2 = 4", 7),
        ("お誕生日おめでとう", 8),
    ],
)
def test_counts_are_those_of_o200k(text: str, count: int) -> None:
    """The examples of OpenAI's cookbook, "How to count tokens with tiktoken", for o200k_base."""
    assert count_tokens(text) == count


def test_special_tokens_in_a_text_are_plain_text() -> None:
    assert count_tokens("<|endoftext|>") > 1


def test_no_network_is_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("a tokenizer must not reach the network"))
    assert count_tokens("ein Satz") > 0


def test_lone_surrogates_do_not_break_a_count() -> None:
    assert count_tokens("a\ud800b") > 0
