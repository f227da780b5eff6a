"""`openai/…` over real HTTP: the shared conformance, and what only chat completions have."""

from __future__ import annotations

import math

import pytest

from evalkit.calls import Fault, Kind, Message, Model, Sampling
from evalkit.errors import CredentialsError
from evalkit.models import provider_class
from tests.models.conformance import HttpConformance, Subject
from tests.server import Server
from tests.server.formats import log_probability


@pytest.fixture
def subject(server: Server) -> Subject:
    return Subject(model=Model(provider="openai", name="local", base_url=server.base_url))


class TestOpenAI(HttpConformance):
    """The shared suite."""

    def test_fingerprint_is_kept(self, subject: Subject) -> None:
        response = subject.ask()
        assert (response.served_model, response.fingerprint) == ("local-served", "fp_local")


def own(name: str = "gpt-4.1") -> Model:
    return Model(provider="openai", name=name)


def test_labels_bring_the_most_likely_first_tokens(subject: Subject, server: Server) -> None:
    server.verdict = lambda _: 0.75
    prompt = '<<<MATERIAL 00\n{"request": "r", "answer_A": "a", "answer_B": "b"}\n00 MATERIAL>>>'
    response = subject.ask(prompt, labels=("A", "B"), sampling=Sampling(max_tokens=1))
    body = server.log[0]["body"]
    assert (body["logprobs"], body["top_logprobs"]) == (True, 20)
    found = {token: math.exp(value) for token, value in response.top_logprobs}
    assert (found["A"] + found[" A"]) / sum(found.values()) == pytest.approx(0.75)


def test_server_without_logprobs_cannot_serve_a_judge_that_needs_them(subject: Subject, server: Server) -> None:
    server.fail("no_logprobs")
    assert subject.fault(labels=("A", "B")).fault is Fault.UNSUPPORTED


def test_reply_without_the_logprobs_asked_for_is_unsupported(
    subject: Subject, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.server.formats._top_logprobs", lambda *_: [])
    assert subject.fault(labels=("A", "B")).fault is Fault.UNSUPPORTED


@pytest.mark.parametrize(("fault", "name"), [("no_temperature", "temperature"), ("no_max_tokens", "max_tokens")])
def test_refused_parameter_is_left_out_or_renamed(subject: Subject, server: Server, fault: str, name: str) -> None:
    server.fail(fault)
    sampling = Sampling(temperature=0.0, max_tokens=9)
    assert subject.ask(sampling=sampling).text
    first, second = (entry["body"] for entry in server.log)
    assert name in first
    assert name not in second
    assert second.get("max_completion_tokens", second.get("max_tokens")) == 9


def test_a_limit_is_never_given_up_silently(subject: Subject, server: Server) -> None:
    """Without one, a run could cost any amount."""
    server.fail("no_limit")
    assert subject.fault(sampling=Sampling(max_tokens=9)).fault is Fault.UNSUPPORTED
    assert len(server.log) == 2


def test_a_bad_value_is_an_error_and_no_reason_to_leave_it_out(subject: Subject, server: Server) -> None:
    server.reply_whole = {"error": {"code": 400, "message": "temperature must be at most 2"}}
    assert subject.fault(sampling=Sampling(temperature=3.0)).fault is Fault.BAD_REQUEST
    assert len(server.log) == 1


def test_reasoning_models_get_their_own_parameter_names() -> None:
    """OpenAI's reasoning models refuse `max_tokens` and any temperature."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_API_KEY", "sk-none")
        bodies = {
            name: provider_class("openai")(own(name), timeout=1)._body(
                Subject(model=own(name)).request("q", sampling=Sampling(temperature=0.0, max_tokens=9, seed=1))
            )
            for name in ("o3-mini", "gpt-5-mini", "gpt-4.1")
        }
    assert {name for name, body in bodies.items() if "temperature" in body} == {"gpt-4.1"}
    assert all(body["max_completion_tokens"] == 9 and "max_tokens" not in body for body in bodies.values())


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_separate_reasoning_is_kept_apart(subject: Subject, server: Server, field: str) -> None:
    server.reply_extra = {field: "I weigh."}
    server.answer = lambda _: "Blue."
    response = subject.ask()
    assert (response.text, response.reasoning) == ("Blue.", "I weigh.")


def test_think_tags_are_taken_off_the_answer(subject: Subject, server: Server) -> None:
    server.answer = lambda _: "<think>\nI weigh.\n</think>\n\nBlue."
    response = subject.ask()
    assert (response.text, response.reasoning) == ("Blue.", "I weigh.")


def test_content_in_parts_is_joined(subject: Subject, server: Server) -> None:
    server.reply_extra = {"content": [{"type": "thinking", "thinking": []}, {"type": "text", "text": "Blue."}]}
    assert subject.ask().text == "Blue."


def test_filtered_answer_says_so(subject: Subject, server: Server) -> None:
    server.fail("filtered")
    assert subject.ask().finish_reason == "content_filter"


def test_missing_key_is_told_before_anything_is_asked() -> None:
    with pytest.raises(CredentialsError, match="OPENAI_API_KEY is not set"):
        provider_class("openai")(own(), timeout=1)


def test_another_variable_may_hold_the_key(subject: Subject, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    subject.model = Model(provider="openai", name="local", base_url=server.base_url, api_key_env="MY_SERVER_KEY")
    with pytest.raises(CredentialsError, match="MY_SERVER_KEY is not set"):
        subject.ask()
    monkeypatch.setenv("MY_SERVER_KEY", "k-mine")
    monkeypatch.setenv("OPENAI_API_KEY", "k-other")
    subject.ask()
    assert server.keys_seen == {"k-mine"}


def test_address_from_the_environment_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not in the content key: answers of two servers would mix."""
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    with pytest.raises(CredentialsError, match="OPENAI_BASE_URL"):
        provider_class("openai")(own(), timeout=1)


def test_azure_by_environment(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", server.root)
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "k-azure")
    subject = Subject(model=own("my-deployment"))
    with pytest.raises(CredentialsError, match="OPENAI_API_VERSION"):
        subject.ask()
    monkeypatch.setenv("OPENAI_API_VERSION", "2024-10-21")
    assert subject.ask().text
    assert server.log[0]["path"] == "/openai/deployments/my-deployment/chat/completions"
    assert server.keys_seen == {"k-azure"}


def test_error_in_a_reply_with_status_200_is_an_error(subject: Subject, server: Server) -> None:
    """OpenRouter reports what fails upstream this way."""
    server.reply_whole = {"error": {"code": 429, "message": "upstream is busy"}}
    assert subject.fault().fault is Fault.RATE_LIMIT


class TestScoring:
    """Log probability of a continuation."""

    def test_span_is_the_continuation_and_its_end_token(self, subject: Subject, server: Server) -> None:
        response = subject.ask("Say it.", kind=Kind.SCORE, continuation="Hallo liebe Welt")
        # The server's template is `<user> Say it. <end>\n<assistant> Hallo liebe Welt <end>\n`, a token a word.
        tokenize = [entry for entry in server.log if entry["path"] == "/tokenize"]
        (echo,) = (entry["body"] for entry in server.log if entry["path"] == "/v1/completions")
        assert len(tokenize) == 3
        assert (echo["echo"], echo["max_tokens"]) == (True, 0)
        assert len(response.token_logprobs) == 4
        ids = [str(token) for token in echo["prompt"]]
        expected = [log_probability(ids[:at], ids[at]) for at in range(len(ids) - 4, len(ids))]
        assert list(response.token_logprobs) == expected

    def test_server_without_a_tokenizer_scores_plain_text(self, subject: Subject, server: Server) -> None:
        server.fail("no_tokenize")
        response = subject.ask("Once upon", kind=Kind.SCORE, continuation=" a time")
        assert list(response.token_logprobs) == [
            log_probability(["Once", " upon"], " a"),
            log_probability(["Once", " upon", " a"], " time"),
        ]

    def test_server_without_a_tokenizer_cannot_score_a_conversation(self, subject: Subject, server: Server) -> None:
        server.fail("no_tokenize")
        conversation = (Message("system", "Be brief."), Message("user", "Hi"))
        error = subject.fault(messages=conversation, kind=Kind.SCORE, continuation="Hello")
        assert error.fault is Fault.UNSUPPORTED

    def test_server_that_cannot_echo_cannot_score(self, subject: Subject, server: Server) -> None:
        server.fail("no_completions")
        assert subject.fault("Hi", kind=Kind.SCORE, continuation="Hello").fault is Fault.UNSUPPORTED
