"""No key ever reaches a message, log, ledger, report or any other byte that is written: one is planted and looked for."""

from __future__ import annotations

import asyncio
import io
import logging
import os
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from evalkit.calls import CallError, Message, Model, Request
from evalkit.models import provider_class
from tests.server import Server

KEY = "sk-planted-7f3a9c1e5b"
VARIABLES = {"openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY"}


def address(provider: str, server: Server) -> str:
    return server.base_url if provider == "openai" else server.root


@pytest.fixture
def everything_logged() -> Iterator[io.StringIO]:
    """Whatever any library logs, at the lowest level."""
    stream, root = io.StringIO(), logging.getLogger()
    handler, level = logging.StreamHandler(stream), root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.mark.parametrize("provider", VARIABLES)
@pytest.mark.parametrize("fault", ["401", "echo", "500", "reset", "malformed", "truncated", "hang"])
def test_faults_tell_no_key(
    server: Server, provider: str, fault: str, monkeypatch: pytest.MonkeyPatch, everything_logged: io.StringIO
) -> None:
    monkeypatch.setenv(VARIABLES[provider], KEY)
    server.fail(fault)
    model = Model(provider=provider, name="local", base_url=address(provider, server))

    async def ask() -> str:
        opened = provider_class(provider)(model, timeout=0.3)
        try:
            await opened.ask(Request(model=model, messages=(Message("user", "hello"),)))
        except CallError as error:
            return "".join([repr(opened), repr(error), *traceback.format_exception(error)])
        finally:
            await opened.close()
        return pytest.fail("no fault")

    told = asyncio.run(ask())
    assert KEY in server.keys_seen, "the key was not planted"
    assert KEY not in told
    assert KEY not in everything_logged.getvalue()


@pytest.mark.parametrize("provider", VARIABLES)
def test_a_whole_run_writes_no_key_anywhere(server: Server, provider: str, tmp_path: Path) -> None:
    """With the SDKs' logging turned up, some requests failing, one for good."""
    server.fail("echo@3", "500@5", "reset@7", "malformed@9")
    words = [
        *(sys.executable, "-m", "evalkit.cli.main", "run", "quickstart"),
        *("--judge", "aya-pairwise", "--judge-model", f"{provider}/judge@{address(provider, server)}"),
        *("--out", str(tmp_path / "run"), "--ledger", str(tmp_path / "ledger.sqlite"), "--json"),
    ]
    planted = {VARIABLES[provider]: KEY, "OPENAI_LOG": "debug", "ANTHROPIC_LOG": "debug"}
    done = subprocess.run(
        words, capture_output=True, timeout=300, env={**os.environ, **planted}, cwd=tmp_path, check=False
    )
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert KEY in server.keys_seen, done.stderr.decode()
    assert {"run.yaml", "results.json", "report.html", "verdicts.parquet", "ledger.sqlite"} <= {
        path.name for path in written
    }, done.stderr.decode()
    for path in written:
        assert KEY.encode() not in path.read_bytes(), path.name
        if path.suffix == ".parquet":  # compressed
            assert KEY not in str(pq.read_table(path).to_pylist()), path.name
    assert KEY.encode() not in done.stdout + done.stderr
