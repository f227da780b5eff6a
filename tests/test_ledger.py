"""The ledger keeps every response, once, whatever happens."""

from __future__ import annotations

import contextlib
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from evalkit.calls import Message, Model, Request, Response, Sampling, Usage
from evalkit.errors import DataError
from evalkit.ledger import Ledger

MODEL = Model(provider="openai", name="judge")
ANSWER = Response(
    text="Ja, natürlich. ไทย",
    reasoning="hm",
    top_logprobs=(("A", -0.1), ("B", -2.3)),
    token_logprobs=(-1.0, -0.5),
    usage=Usage(input_tokens=10, output_tokens=0, cached_tokens=0),
    served_model="judge-1",
    fingerprint="fp",
)


def request(text: str = "hello", **changes: object) -> Request:
    return Request(model=MODEL, messages=(Message("user", text),), **changes)  # type: ignore[arg-type]


def test_a_response_comes_back_as_it_was_written(tmp_path: Path) -> None:
    with Ledger(tmp_path / "deep" / "l.sqlite") as ledger:
        ledger.record(request(), request().key(), ANSWER, cost=0.5)
        assert ledger.lookup([request().key(), "absent"]) == {request().key(): ANSWER}


def test_a_written_response_is_never_overwritten(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l.sqlite") as ledger:
        ledger.record(request(), "k", ANSWER, cost=None)
        ledger.record(request(), "k", Response(text="second"), cost=None)
        assert ledger.lookup(["k"])["k"].text == ANSWER.text


def test_thousands_of_keys_are_looked_up_at_once(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l.sqlite") as ledger:
        for index in range(1201):
            ledger.record(request(), str(index), Response(text=str(index)), cost=None)
        found = ledger.lookup(str(index) for index in range(-10, 1201))
    assert len(found) == 1201
    assert found["777"].text == "777"


@pytest.mark.parametrize(
    "other",
    [
        request("hallo"),
        request(sampling=Sampling(temperature=0.0)),
        request(sampling=Sampling(seed=0)),
        request(repeat=1),
        request(attempt=1),
        request(labels=("A", "B")),
        request(schema={"type": "object"}),
        Request(model=Model(provider="vllm", name="judge"), messages=(Message("user", "hello"),)),
        Request(
            model=Model(provider="openai", name="judge", base_url="http://x/v1"), messages=(Message("user", "hello"),)
        ),
        Request(
            model=Model(provider="openai", name="judge", engine={"dtype": "half"}), messages=(Message("user", "hello"),)
        ),
        Request(model=MODEL, messages=(Message("system", "hello"),)),
    ],
)
def test_whatever_shapes_the_answer_changes_the_key(other: Request) -> None:
    assert other.key() != request().key()


def test_key_is_the_same_on_every_machine() -> None:
    """A change here makes every user pay again: it must be deliberate."""
    assert request().key() == request().key()
    named = Model(provider="openai", name="judge", base_url="http://a:1/v1", endpoint="lab", api_key_env="KEY")
    moved = Model(provider="openai", name="judge", base_url="http://b:2/v1", endpoint="lab")
    assert Request(model=named, messages=()).key() == Request(model=moved, messages=()).key()
    here = Model(provider="vllm", name="/a/ckpt", weights="d1")
    there = Model(provider="vllm", name="/b/ckpt", weights="d1")
    assert Request(model=here, messages=()).key() == Request(model=there, messages=()).key()


def test_sigkill_loses_nothing_that_was_recorded(tmp_path: Path) -> None:
    path = tmp_path / "l.sqlite"
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from evalkit.calls import *\nfrom evalkit.ledger import Ledger\n"
        "ledger = Ledger(Path(sys.argv[1]))\n"
        "ask = Request(model=Model(provider='p', name='m'), messages=())\n"
        "for i in range(10**6):\n"
        "    ledger.record(ask, str(i), Response(text=str(i)), cost=None)\n"
        "    print(i, flush=True)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    told = [int(next(process.stdout)) for _ in range(200)]
    process.send_signal(signal.SIGKILL)
    told += [int(line) for line in process.stdout.read().split("\n")[:-1]]
    process.wait()
    process.stdout.close()
    with Ledger(path) as ledger:
        assert len(ledger.lookup(str(i) for i in told)) == len(told) >= 200


def test_merge_takes_only_what_is_new_and_prune_forgets_one_model(tmp_path: Path) -> None:
    with Ledger(tmp_path / "a.sqlite") as a, Ledger(tmp_path / "b.sqlite") as b:
        a.record(request(), "1", Response(text="a1"), cost=1.0)
        b.record(request(), "1", Response(text="b1"), cost=1.0)
        b.record(Request(model=Model(provider="vllm", name="m"), messages=()), "2", Response(text="b2"), cost=None)
        assert a.merge(tmp_path / "b.sqlite") == 1
        assert a.lookup("1")["1"].text == "a1"
        assert [(item.model, item.responses, item.cost) for item in a.holdings()] == [("judge", 1, 1.0), ("m", 1, None)]
        assert a.prune(provider="vllm", model="m") == 1
        assert not a.lookup("2")


def test_what_is_no_ledger_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("not a database, but long enough to be read as one" * 30)
    with pytest.raises(DataError, match="not a usable ledger"):
        Ledger(tmp_path / "x")
    with pytest.raises(DataError, match="not a usable ledger"):
        Ledger(tmp_path)
    sqlite3.connect(tmp_path / "new").execute("PRAGMA user_version=99").connection.close()
    with pytest.raises(DataError, match="newer evalkit"):
        Ledger(tmp_path / "new")
    with Ledger(tmp_path / "a") as ledger, pytest.raises(DataError, match="no such ledger"):
        ledger.merge(tmp_path / "missing")


@pytest.mark.parametrize("table", ["notes", "responses"])
def test_another_programs_database_is_left_alone(tmp_path: Path, table: str) -> None:
    path = tmp_path / "other.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.execute(f"CREATE TABLE {table} (a)")
    before = path.read_bytes()
    with pytest.raises(DataError, match=f"another program's database, with table '{table}'"):
        Ledger(path)
    assert path.read_bytes() == before
