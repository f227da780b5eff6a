"""Published files: checked, kept whole or not at all, and asked for once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from evalkit.data.prompts import read_prompts
from evalkit.errors import DataError
from evalkit.suite import parse_suite

CONTENT = json.dumps([{"id": 1, "instruction": "Wie geht's?"}]).encode()


class Server(ThreadingHTTPServer):
    """Serves CONTENT as `/whole/*`, half of it as `/cut/*`, a redirect to plain http as `/redirect`."""

    asked: list[str]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        if self.path.startswith("/redirect"):
            self.send_response(302)
            self.send_header("Location", "http://example.invalid/x.json")
            self.end_headers()
            return
        if not self.path.startswith(("/whole", "/cut")):
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT if self.path.startswith("/whole") else CONTENT[:10])

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as running:
        running.asked = []
        thread = Thread(target=running.serve_forever, args=[0.01])
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EVALKIT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def read(url: str, sha256: str | None = None) -> list[str]:
    checks = f", sha256: {{de: '{sha256}'}}" if sha256 else ""
    text = (
        f"name: s\nlanguages: [de]\nprompts: {{remote: {{url: '{url}'{checks}}}, data: 'prompts/{{language}}.json'}}\n"
    )
    suite = parse_suite(text, name="s.yaml", folder=Path()).suite
    return [prompt.text for prompt in read_prompts(suite, folder=Path())]


def address(server: Server, path: str) -> str:
    return f"http://127.0.0.1:{server.server_port}/{path}/{{language}}.json"


def test_a_file_is_fetched_once_and_then_read_from_the_cache(server: Server) -> None:
    checksum = hashlib.sha256(CONTENT).hexdigest()
    assert read(address(server, "whole"), checksum) == ["Wie geht's?"]
    assert read(address(server, "whole"), checksum) == ["Wie geht's?"]
    assert server.asked == ["/whole/de.json"]


def test_another_checksum_is_refused_and_nothing_is_kept(server: Server, cache: Path) -> None:
    with pytest.raises(DataError, match=f"expected {'0' * 64}: it changed") as raised:
        read(address(server, "whole"), "0" * 64)
    assert str(cache) not in str(raised.value)
    assert not list(cache.rglob("*"))


def test_a_damaged_cache_entry_is_fetched_again(server: Server, cache: Path) -> None:
    checksum = hashlib.sha256(CONTENT).hexdigest()
    read(address(server, "whole"), checksum)
    (entry,) = [path for path in cache.rglob("*") if path.is_file()]
    entry.write_bytes(CONTENT[:5])
    assert read(address(server, "whole"), checksum) == ["Wie geht's?"]
    assert entry.read_bytes() == CONTENT


def test_a_file_that_is_cut_off_is_not_kept(server: Server, cache: Path) -> None:
    with pytest.raises(DataError, match="was cut off"):
        read(address(server, "cut"))
    assert not list(cache.rglob("*"))


def test_a_file_that_is_not_there_says_so_and_how_else_to_get_it(server: Server) -> None:
    with pytest.raises(
        DataError, match=r"(?s)not there \(404\).*give a folder that holds prompts/de\.json: --data DIR"
    ):
        read(address(server, "gone"))


def test_redirects_to_plain_http_are_refused(server: Server) -> None:
    with pytest.raises(DataError, match="is no https address"):
        read(address(server, "redirect"))


def test_an_address_without_https_is_refused() -> None:
    with pytest.raises(DataError, match="is no https address"):
        read("http://example.invalid/{language}.json")


def test_a_server_out_of_reach_is_told_with_the_mend() -> None:
    with pytest.raises(DataError, match=r"(?s)cannot be reached.*--data DIR \(or EVALKIT_DATA\)"):
        read("http://127.0.0.1:9/{language}.json")
