"""Know whether a run directory is up to date, as make does: the digest of what it was made from lies beside it.

A run that asks nothing and whose inputs are what they were is not computed again; `evalkit analyze` always computes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from evalkit.files import write_all
from evalkit.records import Failure, Generation, Verdict, json_ready
from evalkit.results import Cost, RunData
from evalkit.run import FILES, MADE_FROM


def fingerprint(
    *,
    suite: Mapping[str, object],
    prompts: str,
    answers: Iterable[Generation],
    verdicts: Iterable[Verdict],
    failures: Iterable[Failure],
    notes: Iterable[str],
    cost: Cost,
) -> str:
    """Return the digest of everything a run directory is made from, this program included.

    Args:
        suite: the resolved suite; its provenance does not count.
        prompts: the digest of the prompts.
        answers: the candidate's, then the baseline's.
        verdicts: those of all judges.
        failures: what did not come back usable.
        notes: what readers should know of the models and the answers.
        cost: what everything cost: other prices give another.
    """
    asked = json.dumps(json_ready({**suite, "provenance": {}}), sort_keys=True)
    total = hashlib.sha256(f"{_program()}\0{prompts}\0{asked}".encode())
    for answer in answers:
        total.update(repr(answer).encode("utf-8", "surrogatepass"))
    for verdict in verdicts:
        total.update(f"{verdict.judge}\0{verdict.request_keys}\0{verdict.preference}\0".encode())
    total.update(repr((tuple(failures), tuple(notes), cost)).encode("utf-8", "surrogatepass"))
    return total.hexdigest()


def fingerprint_of(run: RunData) -> str:
    """Return the digest of what a run that was read from its directory is made from."""
    return fingerprint(
        suite=run.suite,
        prompts=run.results.suite.digest,
        answers=(*run.candidate_answers, *run.baseline_answers),
        verdicts=run.verdicts,
        failures=run.failures,
        notes=run.results.notes,
        cost=run.results.cost,
    )


def up_to_date(folder: Path, made_from: str) -> bool:
    """Whether the run directory is whole and made from just this."""
    try:
        return (folder / MADE_FROM).read_text() == made_from and all(
            (folder / name).is_file() for name in (*FILES, "report.html")
        )
    except OSError:
        return False


def mark_fresh(folder: Path, made_from: str) -> None:
    """Write down what the run directory was made from."""
    write_all({folder / MADE_FROM: made_from}, option="--out")


@cache
def _program() -> str:
    """Return what tells one state of the package from another: names, sizes and times of its files."""
    package = Path(__file__).resolve().parent
    files = sorted(path for path in package.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return repr(
        [(path.relative_to(package).as_posix(), path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    )
