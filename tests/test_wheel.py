"""What is installed is whole: suites, judges, templates and tables are inside the wheel."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this checkout by the build back end itself."""
    folder = tmp_path_factory.mktemp("dist")
    code = f"import hatchling.build as b; print(b.build_wheel({str(folder)!r}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder / done.stdout.split()[-1]


def test_the_wheel_holds_everything_that_a_run_reads(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for kind in ("suites", "judges"):
        assert {f"evalkit/shipped/{kind}/{path.name}" for path in (ROOT / kind).glob("*.yaml")} <= names
    data = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "evalkit").rglob("*")
        if path.suffix in {".tsv", ".json", ".js", ".css", ".j2", ".typed"}
    }
    assert data <= names
    assert not [name for name in names if name.startswith("tests/")]


def test_quickstart_runs_from_the_wheel_in_an_empty_folder(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    empty = tmp_path / "empty"
    empty.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(site), "PYTHONSAFEPATH": "1"}
    where = subprocess.run(
        [sys.executable, "-c", "import evalkit; print(evalkit.__file__)"],
        cwd=empty,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert where.stdout.startswith(str(site)), where.stderr
    done = subprocess.run(
        [sys.executable, "-m", "evalkit.cli.main", "run", "quickstart"],
        cwd=empty,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    reports = list((empty / "reports" / "quickstart").glob("*/report.html"))
    assert len(reports) == 1
    assert str(tmp_path) not in reports[0].read_text("utf-8"), "the report names a path of this machine"
