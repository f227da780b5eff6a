"""Every benchmark starts, whatever else is installed, and can be run in small."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BENCHMARKS = sorted(path.name for path in (ROOT / "benchmarks").glob("[!_]*.py"))


def shadowed(folder: Path) -> dict[str, str]:
    """An environment with a package on its path that is called `tests`, as some distributions install one."""
    (folder / "tests").mkdir()
    (folder / "tests" / "__init__.py").write_text("")
    return {**os.environ, "PYTHONPATH": str(folder)}


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmark_starts_and_knows_small(name: str, tmp_path: Path) -> None:
    command = [sys.executable, ROOT / "benchmarks" / name, "--small", "--help"]
    done = subprocess.run(command, cwd=tmp_path, env=shadowed(tmp_path), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "--small" in done.stdout


def test_the_server_starts_as_a_command_beside_another_package_called_tests(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.server", "--help"]
    done = subprocess.run(command, cwd=ROOT, env=shadowed(tmp_path), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
