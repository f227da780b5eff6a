"""An extra is installed from where evalkit came from: no registry has the package."""

from __future__ import annotations

import json
import re
from importlib import metadata
from pathlib import Path

import pytest

from evalkit.extras import install_command

ROOT = Path(__file__).resolve().parent.parent


class Installed:
    """A distribution of which pip noted down where it came from."""

    def __init__(self, noted: str | None) -> None:
        self.noted = noted

    def read_text(self, name: str) -> str | None:
        assert name == "direct_url.json"
        return self.noted


def test_a_checkout_or_an_archive_on_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for source in (tmp_path / "my check out", tmp_path / "evalkit.tar.gz"):
        source.mkdir()
        noted = Installed(json.dumps({"url": source.as_uri(), "dir_info": {}}))
        monkeypatch.setattr(metadata, "distribution", lambda _, noted=noted: noted)
        assert install_command("vllm") == f"pip install '{source}[vllm]'"


@pytest.mark.parametrize(
    "noted",
    [None, "{", "{}", '{"url": "https://host/evalkit.git", "vcs_info": {}}', '{"url": "file:///gone/evalkit"}'],
)
def test_elsewhere_the_command_is_the_one_for_a_checkout(noted: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "distribution", lambda _: Installed(noted))
    assert install_command("words") == "pip install '.[words]' in a checkout of evalkit"


def test_no_text_installs_the_package_from_a_registry() -> None:
    folders = ("evalkit", "docs", "suites", "judges", "examples", "benchmarks", "tools", ".ci", ".github")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]
    for path in [*files, *ROOT.glob("*.*"), ROOT / "Makefile"]:
        content = path.read_bytes() if path.is_file() else b""
        assert not re.search(rb"pip install[^\n]*multilingual-evalkit", content), path
