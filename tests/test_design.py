"""docs/design.md keeps to the code: its journeys are short and lead along imports, its places exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.test_reach import FILES, NAMES

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "docs/design.md").read_text("utf-8")
AT_MOST = {
    "A prompt, from YAML to the page": 26,
    "A judge's reply, from HTTP to an outcome": 15,
    "A request, to the ledger": 12,
    "A figure, from outcomes to page, terminal, Markdown and leaderboard": 24,
}


def journey(title: str) -> list[str]:
    part = TEXT.partition(f"**{title}**\n\n")[2].partition("\n\n")[0]
    return re.findall(r"^\d+\. `([^`]+)`$", part, re.MULTILINE)


@pytest.mark.parametrize("title", AT_MOST)
def test_a_journey_is_short_and_every_file_of_it_is_there(title: str) -> None:
    files = journey(title)
    assert 5 < len(files) <= AT_MOST[title]
    assert len(set(files)) == len(files)
    assert not [name for name in files if not (ROOT / name).is_file()]


@pytest.mark.parametrize("title", AT_MOST)
def test_a_journey_leads_along_imports(title: str) -> None:
    """Every module on it names something of another one on it, so that a reader can follow names from file to file.

    Providers and commands are found by name (`provider_class`, the table of commands), which no import shows.
    """
    path_of = {str(path.relative_to(ROOT)): module for module, path in FILES.items()}
    modules = {path_of[name] for name in journey(title) if name.endswith(".py")}
    linked: set[str] = set()
    for module in modules:
        used = {place for place, _ in NAMES[module].values()} | {f"{a}.{b}" for a, b in NAMES[module].values()}
        others = (used & modules) - {module}
        linked |= others | ({module} if others else set())
    assert not modules - linked


def test_every_place_that_it_names_exists() -> None:
    named = set(re.findall(r"`((?:tests|evalkit|docs|tools)/[\w/.]+)`", TEXT))
    examples = set(re.findall(r"<!-- file: (\S+)", TEXT))
    assert not [name for name in named - examples if not (ROOT / name.rstrip("/")).exists()]
    table = TEXT.partition("## One rule, one place")[2].partition("\n\n## ")[0]
    assert not [name for name in re.findall(r"`([\w/]+\.py)`", table) if not (ROOT / "evalkit" / name).is_file()]
