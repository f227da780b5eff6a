"""A model meets a prompt's turns one by one, with its own answers between."""

from __future__ import annotations

import pytest

from evalkit.calls import Message
from evalkit.conversation import conversation, turns
from evalkit.records import Prompt


def prompt(*messages: tuple[str, str]) -> Prompt:
    return Prompt(id="1", language="en", messages=tuple(Message(role, text) for role, text in messages))  # type: ignore[arg-type]


def test_one_turn_is_sent_as_it_is() -> None:
    single = prompt(("user", "hi"))
    assert turns(single) == 1
    assert conversation(single, ()) == (Message("user", "hi"),)


def test_the_second_turn_carries_the_first_answer() -> None:
    two = prompt(("user", "one"), ("user", "two"))
    assert turns(two) == 2
    assert [m.content for m in conversation(two, ())] == ["one"]
    assert [(m.role, m.content) for m in conversation(two, ("A",))] == [
        ("user", "one"),
        ("assistant", "A"),
        ("user", "two"),
    ]
    with pytest.raises(ValueError, match="no turn"):
        conversation(two, ("A", "B"))


def test_an_answer_the_source_gives_is_not_asked_for() -> None:
    given = prompt(("user", "one"), ("assistant", "given"), ("user", "two"))
    assert turns(given) == 1
    assert [m.content for m in conversation(given, ())] == ["one", "given", "two"]


def test_a_prompts_own_system_message_wins() -> None:
    assert conversation(prompt(("user", "hi")), (), system="be kind")[0] == Message("system", "be kind")
    own = prompt(("system", "own"), ("user", "hi"))
    assert [m.content for m in conversation(own, (), system="be kind")] == ["own", "hi"]
