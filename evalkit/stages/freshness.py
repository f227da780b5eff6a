"""Know whether a run directory is up to date, as make does: what it was made from has a digest beside it.

A run that asks nothing and whose inputs are what they were is not derived again; `evalkit analyze` always does.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from evalkit.files import write_all
from evalkit.records import json_ready
from evalkit.run import FILES
from evalkit.stages.answers import Answers
from evalkit.stages.verdicts import JudgeReplies

NAME = ".made-from"


def stamp_of(suite: Mapping[str, Any], digest: str, answers: Iterable[Answers], judged: JudgeReplies) -> str:
    """Return the digest of everything a run directory is made from: this program, the suite, answers and verdicts."""
    total = hashlib.sha256(f"{_program()}\0{digest}\0{json.dumps(json_ready(suite), sort_keys=True)}".encode())
    for own in answers:
        for generation in own.generations:
            total.update(repr(generation).encode("utf-8", "surrogatepass"))
        total.update(repr((own.failures, own.notes)).encode())
    for verdict in judged.verdicts:
        total.update(f"{verdict.judge}\0{verdict.request_keys}\0{verdict.preference}\0".encode())
    total.update(repr(judged.failures).encode())
    return total.hexdigest()


def up_to_date(folder: Path, stamp: str) -> bool:
    """Whether the run directory is whole and made from just this."""
    try:
        return (folder / NAME).read_text() == stamp and all(
            (folder / name).is_file() for name in (*FILES, "report.html")
        )
    except OSError:
        return False


def leave(folder: Path, stamp: str) -> None:
    """Say what the run directory was made from."""
    write_all({folder / NAME: stamp})


@cache
def _program() -> str:
    """Return what tells one state of the package from another: names, sizes and times of its files."""
    package = Path(__file__).resolve().parent.parent
    files = sorted(path for path in package.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return repr(
        [(path.relative_to(package).as_posix(), path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    )
