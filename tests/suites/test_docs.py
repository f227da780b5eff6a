"""docs/suites.md does what it says: a newcomer who copies its files and commands has a report."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from evalkit.cli.main import main
from evalkit.shipped import shipped_names
from evalkit.suite import parse_suite

TEXT = (Path(__file__).parents[2] / "docs" / "suites.md").read_text("utf-8")
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```", re.MULTILINE | re.DOTALL)


def test_the_five_minutes_end_with_a_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    commands = []
    for language, name, content in BLOCK.findall(TEXT):
        if name:
            (tmp_path / name).write_text(content, "utf-8")
        if language == "sh":
            commands += content.splitlines()
    assert len(commands) == 3
    for command in commands:
        program, *words = shlex.split(command)
        assert program == "evalkit"
        assert main(words) == 0, command
    assert (tmp_path / "reports" / "prompts" / "new" / "report.html").is_file()


@pytest.mark.parametrize("block", [content for language, _, content in BLOCK.findall(TEXT) if language == "yaml"])
def test_every_piece_of_yaml_is_valid(block: str) -> None:
    whole = block.replace("8ab58e…", "8ab58e")
    for key, default in (("prompts", "{files: a.csv}"), ("judges", "[aya-pairwise]")):
        whole += "" if f"\n{key}:" in f"\n{whole}" else f"\n{key}: {default}"
    parse_suite(f"name: s\nlanguages: [de, zh]\n{whole}", name="docs/suites.md", folder=Path())


def test_every_shipped_suite_is_named() -> None:
    for name in shipped_names("suites"):
        assert f"`{name}`" in TEXT, name
