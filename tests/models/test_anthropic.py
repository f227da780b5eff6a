"""`anthropic/…` over real HTTP: the shared conformance, and what only messages have."""

from __future__ import annotations

import json

import pytest

from evalkit.calls import Fault, Kind, Message, Model, Sampling
from evalkit.errors import CredentialsError
from evalkit.models import provider_class
from tests.models.conformance import SCHEMA, HttpConformance, Subject
from tests.server import Server


@pytest.fixture
def subject(server: Server) -> Subject:
    return Subject(model=Model(provider="anthropic", name="local", base_url=server.root))


class TestAnthropic(HttpConformance):
    """The shared suite."""


def test_shared_prefix_carries_a_cache_mark(subject: Subject, server: Server) -> None:
    subject.ask(messages=(Message("system", "You judge."), Message("user", "A or B?")))
    body = server.log[0]["body"]
    assert body["system"] == [{"type": "text", "text": "You judge.", "cache_control": {"type": "ephemeral"}}]
    assert [message["role"] for message in body["messages"]] == ["user"]


def test_limit_is_sent_even_where_none_is_set(subject: Subject, server: Server) -> None:
    """The API refuses requests without one."""
    subject.ask(sampling=Sampling())
    assert server.log[0]["body"]["max_tokens"] > 0


def test_model_without_sampling_parameters_is_asked_without(subject: Subject, server: Server) -> None:
    server.fail("no_temperature")
    assert subject.ask(sampling=Sampling(temperature=0.0)).text
    assert ["temperature" in entry["body"] for entry in server.log] == [True, False]


def test_forced_tool_where_output_formats_are_refused(subject: Subject, server: Server) -> None:
    server.fail("no_schema")
    response = subject.ask("Decide.", schema=SCHEMA)
    body = server.log[-1]["body"]
    assert body["tool_choice"] == {"type": "tool", "name": "reply"}
    assert json.loads(response.text)["verdict"] in {"A", "B", "TIE"}
    assert response.finish_reason == "stop"


@pytest.mark.parametrize("asked", [{"labels": ("A", "B")}, {"kind": Kind.SCORE, "continuation": "x"}])
def test_log_probabilities_are_refused_without_asking(
    subject: Subject, server: Server, asked: dict[str, object]
) -> None:
    assert subject.fault(**asked).fault is Fault.UNSUPPORTED
    assert not server.log


def test_thinking_is_kept_apart(subject: Subject, server: Server) -> None:
    server.thinking = "I weigh."
    server.answer = lambda _: "Blue."
    response = subject.ask()
    assert (response.text, response.reasoning) == ("Blue.", "I weigh.")


def test_tokens_written_to_the_cache_are_counted(subject: Subject, server: Server) -> None:
    usage = subject.ask("one two three four").usage
    assert usage.cache_write_tokens == 0


def test_missing_key_is_told_before_anything_is_asked() -> None:
    with pytest.raises(CredentialsError, match="ANTHROPIC_API_KEY is not set"):
        provider_class("anthropic")(Model(provider="anthropic", name="claude-x"), timeout=1)
