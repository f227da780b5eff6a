"""Runs that the tests of the report share, and a real Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from evalkit.records import RunData
from tests.conftest import skip_or_fail
from tests.report.make_run import make_run

CHROMIUM = Path("/usr/bin/chromium")
SWITCHES = ("no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking")
SWITCHES += ("disable-component-update", "disable-sync")


@pytest.fixture(scope="session")
def made_up() -> RunData:
    """Eleven languages with 60 prompts each, one with 12; two judges."""
    return make_run(sizes={"sw": 12})


@pytest.fixture(scope="session")
def chromium() -> Iterator[object]:
    """A Chromium that opens pages from disk."""
    sync_api = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM.exists():
        skip_or_fail("browser", "no Chromium: apt-get install chromium")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=[f"--{switch}" for switch in SWITCHES], timeout=180_000
        )
        yield browser
        browser.close()
