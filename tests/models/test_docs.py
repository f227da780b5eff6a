"""The provider over HTTP in docs/providers.md works."""

from __future__ import annotations

import asyncio
import random
import re
from pathlib import Path

import pytest

import evalkit.models
from evalkit.calls import Fault, Message, Model, Request
from evalkit.dispatch import Limits, Task, fetch
from evalkit.errors import CredentialsError
from evalkit.ledger import Ledger
from evalkit.pricing import Pricing
from tests.conftest import ROOT
from tests.models.conformance import SCRIPTS, Subject
from tests.server import Server


@pytest.fixture
def subject(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Subject:
    _, code = re.findall(r"```python\n(.*?)```", (ROOT / "docs/providers.md").read_text("utf-8"), re.DOTALL)
    assert len([line for line in code.splitlines() if line.strip()]) <= 30
    (tmp_path / "acme.py").write_text(code)
    monkeypatch.setattr(evalkit.models, "__path__", [*evalkit.models.__path__, str(tmp_path)])
    monkeypatch.setenv("ACME_API_KEY", "k")
    return Subject(model=Model(provider="acme", name="local", base_url=server.base_url))


def test_it_answers(subject: Subject, server: Server) -> None:
    server.answer = lambda body: body["messages"][-1]["content"]
    for text in SCRIPTS.values():
        assert subject.ask(text).text == text


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("429=2", Fault.RATE_LIMIT),
        ("500", Fault.SERVER),
        ("401", Fault.AUTH),
        ("reset", Fault.CONNECTION),
        ("truncated", Fault.CONNECTION),
        ("malformed", Fault.MALFORMED),
        ("wrong_shape", Fault.MALFORMED),
    ],
)
def test_it_tells_what_went_wrong(subject: Subject, server: Server, fault: str, kind: Fault) -> None:
    server.fail(fault)
    assert subject.fault().fault is kind


def test_it_gives_up_a_server_that_hangs(subject: Subject, server: Server) -> None:
    server.fail("hang")
    assert subject.fault(timeout=0.3).fault is Fault.TIMEOUT


def test_it_wants_its_key(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ACME_API_KEY")
    with pytest.raises(CredentialsError, match="ACME_API_KEY"):
        subject.ask()


def test_the_dispatcher_takes_it_as_any_other(subject: Subject, server: Server, tmp_path: Path) -> None:
    server.fail("500@2", "429=0@4")
    requests = [Request(model=subject.model, messages=(Message("user", f"question {n}"),)) for n in range(8)]
    tasks = [Task(request=item, key=item.key(), stage="generate", language="de", model="acme") for item in requests]
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        fetched = asyncio.run(
            fetch(
                tasks,
                ledger=ledger,
                limits=Limits(),
                pricing=Pricing(),
                progress=lambda _: None,
                rng=random.Random(0),
            )
        )
    assert len(fetched.responses) == 8
