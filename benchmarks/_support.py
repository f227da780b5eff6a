"""What all benchmarks share: the checkout first on the path, and one option to run in small.

Import it before `tests`: it puts the root of the checkout first on the path, so that `evalkit` and `tests` are those of
this checkout, whatever else is installed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

LANGUAGES = tuple("ar cs de el en es fa fr he hi id it ja ko nl pl pt ro ru tr uk vi zh".split())  # noqa: SIM905
"""The 23 languages of m-ArenaHard."""


def parser(doc: str | None, **sizes: tuple[int, int]) -> argparse.ArgumentParser:
    """Return a parser with `--small` and an option for each size, given as (whole, small).

    `--small` changes the defaults only: a size that is named on the command line is taken as it is.
    """
    found = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    found.add_argument("--small", action="store_true", help="seconds: shows that it runs; its figures measure nothing")
    for name, (whole, small) in sizes.items():
        default = small if "--small" in sys.argv else whole
        found.add_argument(f"--{name}", type=int, default=default, metavar="N", help=f"{whole:,}; in small {small:,}")
    return found


def absent(need: str, reason: str) -> int:
    """Say why a benchmark cannot run here; return the exit status, 1 where EVALKIT_REQUIRE names `need`."""
    print(f"skipped: {reason}")
    return int(need in os.environ.get("EVALKIT_REQUIRE", "").split(","))


def environment(**more: str) -> dict[str, str]:
    """Return the environment for a Python process that must import this checkout too."""
    return {**os.environ, "PYTHONPATH": str(ROOT), **more}


def python(*words: str | Path, **more: str) -> str:
    """Run Python in a process of its own and return what it prints; `more` are environment variables."""
    command = [sys.executable, *map(str, words)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment(**more)).stdout
