"""`evalkit suites translate`: one suite in one language becomes one in many."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalkit.cli.output import print_json, say
from evalkit.errors import InputError, Problem

if TYPE_CHECKING:
    from evalkit.pipeline import TranslatedSuite, TranslationJob


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare what to translate, into what, by whom."""
    parser.add_argument("suite", metavar="SUITE", help="a suite file, or the name of one that ships")
    parser.add_argument("--to", required=True, metavar="de,sw", help="languages to translate into")
    parser.add_argument("--model", required=True, metavar="REF", help="the model that translates")
    parser.add_argument("--source", default="en", metavar="TAG", help="language to translate from (en)")
    parser.add_argument("--limit", type=int, metavar="N", help="a seeded sample of N prompts")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder of the new suite (default: SUITE-translated)")
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="the suite's published files on disk (or EVALKIT_DATA)"
    )
    parser.add_argument(
        "--ledger", type=Path, metavar="FILE", help="ledger (default: EVALKIT_LEDGER or .evalkit/ledger.sqlite)"
    )
    parser.add_argument(
        "--max-cost", type=float, metavar="USD", help="stop before this much is spent; run again to go on"
    )


def run(args: argparse.Namespace) -> int:
    """Translate, write the new suite, and print what to look at."""
    import asyncio

    from evalkit.cli.progress import progress_display
    from evalkit.pipeline import translate

    job = _job(args)
    with progress_display(quiet=args.json) as progress:
        written = asyncio.run(translate(job, progress=progress))
    if args.json:
        print_json(_document(written))
    else:
        _show(written, licence=job.loaded.suite.about.licence)
    return 0


def _job(args: argparse.Namespace) -> TranslationJob:
    """Return the job that the command line describes."""
    from evalkit.cli.job import ledger_path
    from evalkit.dispatch import Limits
    from evalkit.pipeline import TranslationJob
    from evalkit.suite import LoadedSuite, load_suite, model_config, override

    source, *targets = _tags([args.source, *args.to.split(",")])
    loaded = load_suite(args.suite)
    suite = override(loaded.suite, languages=[source], limit=args.limit)
    data = args.data or (Path(os.environ["EVALKIT_DATA"]) if os.environ.get("EVALKIT_DATA") else None)
    return TranslationJob(
        loaded=LoadedSuite(suite=suite, folder=loaded.folder, file=loaded.file),
        to=targets,
        model=model_config(args.model),
        ledger=ledger_path(args.ledger),
        limits=Limits(max_cost=args.max_cost),
        out=args.out,
        data=data,
    )


def _tags(words: list[str]) -> list[str]:
    """Normalise the languages; the first is the source."""
    from evalkit.language.tags import normalise

    problems, tags = [], []
    for word in words:
        try:
            tags.append(normalise(word))
        except ValueError as fault:
            problems.append(Problem(where="--to", message=str(fault)))
    if problems:
        raise InputError(*problems)
    source, *targets = tags
    unique = [tag for tag in dict.fromkeys(targets) if tag != source]
    if not unique:
        raise InputError(
            Problem(where="--to", message=f"nothing to translate {source!r} into", hint="for example --to de,sw")
        )
    return [source, *unique]


def _document(written: TranslatedSuite) -> dict[str, Any]:
    return {
        "suite": str(written.file),
        "review": str(written.review),
        "prompts": len(written.translated.prompts),
        "doubts": len(written.translated.issues),
        "left_out": list(written.translated.left_out),
    }


def _show(written: TranslatedSuite, *, licence: str) -> None:
    translated = written.translated
    print(
        f"{written.file}: {len(translated.prompts):,} translations; {len(translated.issues):,} to look at in "
        f"{written.review}"
    )
    if translated.left_out:
        listed = ", ".join(translated.left_out[:5]) + (" …" if len(translated.left_out) > 5 else "")  # noqa: PLR2004
        print(f"left out, for want of a translation in some language: {listed}")
    if licence:
        say(f"the source's licence holds for translations too: {licence}")
