"""Hub datasets: configs and splits read with the datasets library; every way out of reach is one message, soon."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import yaml

ASK = """
import sys, json
from pathlib import Path
from evalkit.errors import DataError
from evalkit.data.prompts import read_prompts
from evalkit.suite import parse_suite
suite = parse_suite(sys.argv[1], name="s.yaml", folder=Path()).suite
try:
    print(json.dumps([[p.language, p.id, p.text] for p in read_prompts(suite, folder=Path())]))
except DataError as fault:
    print(json.dumps(str(fault)))
"""


def ask(
    tmp_path: Path,
    source: dict[str, object],
    *,
    endpoint: str = "http://127.0.0.1:9",
    languages: tuple[str, ...] = ("de", "zh"),
) -> object:
    """Read prompts in a process of its own: the Hub's client reads its settings once."""
    text = yaml.safe_dump({"name": "s", "languages": list(languages), "prompts": source})
    own = {
        "HF_ENDPOINT": endpoint,
        "HF_HOME": str(tmp_path / "hf"),
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    }
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "PYTHONPATH", "LANG"}}
    done = subprocess.run(
        [sys.executable, "-c", ASK, text],
        check=False,
        capture_output=True,
        text=True,
        env=kept | own,
        timeout=120,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset with one config a language, laid out as on the Hub."""
    folder = tmp_path_factory.mktemp("dataset")
    configs = []
    for tag in ("deu_Latn", "zho_Hans"):
        (folder / tag).mkdir()
        (folder / tag / "test.jsonl").write_text(json.dumps({"question_id": 7, "prompt": tag}) + "\n", "utf-8")
        configs.append({"config_name": tag, "data_files": [{"split": "test", "path": f"{tag}/test.jsonl"}]})
    (folder / "README.md").write_text(f"---\n{yaml.safe_dump({'configs': configs})}---\n", "utf-8")
    return folder


def test_one_config_a_language(tmp_path: Path, dataset: Path) -> None:
    source = {"hub": str(dataset), "config": "{language}", "tags": {"de": "deu_Latn", "zh": "zho_Hans"}}
    assert ask(tmp_path, source) == [["de", "7", "deu_Latn"], ["zh", "7", "zho_Hans"]]


def test_a_config_that_does_not_exist_names_those_that_do(tmp_path: Path, dataset: Path) -> None:
    told = ask(tmp_path, {"hub": str(dataset), "config": "{language}"})
    assert "'de' not found" in str(told)
    assert "deu_Latn" in str(told)


def test_out_of_reach_is_told_with_the_way_round(tmp_path: Path) -> None:
    source = {"hub": "nobody/nothing", "config": "{language}", "revision": "0" * 40, "data": "n/{language}.parquet"}
    told = str(ask(tmp_path, source))
    assert "the Hub cannot be reached, and nobody/nothing is not in its cache" in told
    assert "give a folder that holds n/de.parquet: --data DIR (or EVALKIT_DATA)" in told
    assert str(tmp_path) not in told


class Gate(BaseHTTPRequestHandler):
    """Answers as the Hub does for a gated dataset."""

    def _refuse(self) -> None:
        self.send_response(403)
        self.send_header("X-Error-Code", "GatedRepo")
        self.send_header("X-Error-Message", "Access to this dataset is restricted.")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_HEAD = do_POST = _refuse  # noqa: N815  names of the standard library

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def gate() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Gate) as server:
        thread = Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("way", ["config", "path"])
def test_a_gated_dataset_says_how_to_get_in(tmp_path: Path, gate: str, way: str) -> None:
    source = {"hub": "some/gated", way: "{language}.jsonl", "revision": "0" * 40, "data": "g/{language}.jsonl"}
    told = str(ask(tmp_path, source, endpoint=gate))
    assert "the dataset is gated" in told
    assert "accept its terms at https://huggingface.co/datasets/some/gated" in told
    assert "give a folder that holds g/de.jsonl" in told
