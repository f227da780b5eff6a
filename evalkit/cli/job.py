"""Options that run, plan, generate and judge share, and the job they describe."""

from __future__ import annotations

import argparse
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from evalkit.errors import InputError, Problem

if TYPE_CHECKING:
    from evalkit.pipeline import Job, Until

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare what to run, on what, and within which limits."""
    parser.add_argument("suite", metavar="SUITE", help="a suite file, or the name of one that ships (evalkit suites)")
    what = parser.add_argument_group("what to run")
    what.add_argument(
        "--candidate",
        action="append",
        default=[],
        metavar="REF",
        help="provider/model or NAME=provider/model; again for more",
    )
    what.add_argument("--baseline", metavar="REF", help="what candidates are compared with; `each`: with one another")
    what.add_argument("--judge", action="append", default=[], metavar="NAME|FILE", help="a judge; again for a panel")
    what.add_argument("--judge-model", metavar="REF", help="put this model under the judges")
    what.add_argument("--languages", metavar="de,fr", help="languages to run instead of the suite's default")
    what.add_argument("--limit", type=_count, metavar="N", help="a seeded sample of N prompts per language")
    what.add_argument("--shard", metavar="I/N", help="ask only the I-th of N parts; merge the ledgers afterwards")
    where = parser.add_argument_group("where things are")
    where.add_argument("--data", type=Path, metavar="DIR", help="the suite's published files on disk (or EVALKIT_DATA)")
    where.add_argument("--out", type=Path, metavar="DIR", help="run directory (default: reports/SUITE/CANDIDATE)")
    where.add_argument(
        "--ledger", type=Path, metavar="FILE", help="ledger (default: EVALKIT_LEDGER or .evalkit/ledger.sqlite)"
    )
    how = parser.add_argument_group("limits")
    how.add_argument(
        "--max-cost", type=_amount, metavar="USD", help="stop before this much is spent; exit 3, run again to go on"
    )
    how.add_argument(
        "--max-time", type=_seconds, metavar="T", help="stop after 90s, 30m, 2h …; exit 3, run again to go on"
    )
    how.add_argument("--concurrency", type=_count, metavar="N", help="most requests in flight to each model")
    how.add_argument("--requests-per-minute", type=_rate, metavar="N", help="of each model")
    how.add_argument("--tokens-per-minute", type=_rate, metavar="N", help="of each model")
    how.add_argument("--timeout", type=_seconds, metavar="T", help="until a request counts as lost (default 300s)")


def job_from(args: argparse.Namespace, *, until: Until | None = None) -> Job:
    """Return the job that the command line describes.

    Raises:
        InputError: an option or the suite must be mended.
    """
    from evalkit.dispatch import Limits
    from evalkit.pipeline import Job, Until
    from evalkit.suite import LoadedSuite, load_suite, override

    loaded = load_suite(args.suite)
    suite = override(
        loaded.suite,
        candidates=args.candidate,
        baseline=args.baseline,
        judges=args.judge,
        judge_model=args.judge_model,
        languages=[tag.strip() for tag in (args.languages or "").split(",") if tag.strip()],
        limit=args.limit,
    )
    given = {
        "max_cost": args.max_cost,
        "max_time": args.max_time,
        "max_concurrency": args.concurrency,
        "requests_per_minute": args.requests_per_minute,
        "tokens_per_minute": args.tokens_per_minute,
        "timeout": args.timeout,
    }
    limits = {name: value for name, value in given.items() if value is not None}
    shard = _shard(args.shard)
    return Job(
        loaded=LoadedSuite(suite=suite, folder=loaded.folder, file=loaded.file),
        ledger=ledger_path(args.ledger),
        limits=Limits(**limits, error_budget=suite.error_budget),
        out=_writable(args.out),
        data=_data(args.data),
        shard=shard,
        until=until or (Until.VERDICTS if shard else Until.REPORT),
        command=["evalkit", *sys.argv[1:]],
    )


def ledger_path(given: Path | None) -> Path:
    """Return the ledger that the option, the environment or the working directory names."""
    from evalkit.ledger import DEFAULT_PATH

    return given or Path(os.environ.get("EVALKIT_LEDGER") or DEFAULT_PATH)


def _writable(out: Path | None) -> Path | None:
    """Return the run directory; refuse, before anything is asked, one that could not be written afterwards."""
    if out is not None:
        nearest = next(place for place in (out, *out.parents, Path()) if place.exists())
        if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
            fault = "is read-only" if nearest.is_dir() else "is a file"
            hint = "choose another --out"
            raise InputError(Problem(where="--out", message=f"cannot write {out}: {nearest} {fault}", hint=hint))
    return out


def _data(given: Path | None) -> Path | None:
    folder = given or (Path(os.environ["EVALKIT_DATA"]) if os.environ.get("EVALKIT_DATA") else None)
    if folder is not None and not folder.is_dir():
        where = "--data" if given else "EVALKIT_DATA"
        raise InputError(
            Problem(
                where=where, message=f"no folder {str(folder)!r}", hint="name the folder that holds the suite's files"
            )
        )
    return folder


def _shard(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    part, slash, count = text.partition("/")
    if not (slash and part.isdigit() and count.isdigit() and 1 <= int(part) <= int(count)):
        raise InputError(Problem(where="--shard", message=f"{text!r} is not I/N", hint="for example 1/4 … 4/4"))
    return int(part), int(count)


def _count(text: str) -> int:
    """Read a whole number from 1 on."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 on")
    return int(text)


def _amount(text: str) -> float:
    """Read a number that is not negative."""
    if not re.fullmatch(r"\d+(\.\d*)?|\.\d+", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"{text!r} is no amount: write 20 or 0.5")
    return float(text)


def _rate(text: str) -> float:
    """Read a number above zero."""
    if not (rate := _amount(text)):
        raise argparse.ArgumentTypeError("nothing could be asked at a rate of 0")
    return rate


def _seconds(text: str) -> float:
    """Read 90, 90s, 30m, 2h or 1d."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", text)
    if not match:
        message = f"{text!r} is no time: write 90s, 30m or 2h"
        raise argparse.ArgumentTypeError(message)
    return float(match[1]) * _UNITS[match[2] or "s"]
