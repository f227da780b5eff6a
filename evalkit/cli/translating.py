"""`evalkit suites translate`: one suite in one language becomes one in many."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from evalkit.cli import values
from evalkit.cli.options import (
    DATA,
    LEDGER,
    LIMIT,
    MAX_COST,
    OUT,
    SOURCE,
    SUITE,
    add,
    add_prices,
    data_folder,
    ledger_path,
    price_table,
)
from evalkit.cli.output import print_json, say
from evalkit.errors import InputError, Problem

if TYPE_CHECKING:
    from evalkit.pipeline import TranslatedSuite, TranslationJob


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare what to translate, into what, by whom."""
    add(parser, SUITE)
    parser.add_argument(
        "--to", type=values.languages, required=True, metavar="de,sw", help="languages to translate into"
    )
    parser.add_argument("--model", type=values.model, required=True, metavar="REF", help="the model that translates")
    add(parser, SOURCE, LIMIT, replace(OUT, help="folder of the new suite (default: SUITE-translated)"), DATA, LEDGER)
    add(parser, MAX_COST)
    add_prices(parser)


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
    from evalkit.dispatch import Limits
    from evalkit.pipeline import TranslationJob
    from evalkit.suite import LoadedSuite, load_suite, model_config, override

    source, targets = args.source, _targets(args)
    loaded = load_suite(args.suite)
    suite = override(loaded.suite, languages=[source], limit=args.limit)
    return TranslationJob(
        loaded=LoadedSuite(suite=suite, folder=loaded.folder, file=loaded.file),
        to=targets,
        model=model_config(args.model, suite),
        ledger=ledger_path(args.ledger),
        limits=Limits(max_cost=args.max_cost),
        out=args.out,
        data=data_folder(args.data),
        prices=price_table(args.prices),
        price_of=dict(args.price),
    )


def _targets(args: argparse.Namespace) -> list[str]:
    """Return the languages to translate into, without the source."""
    targets = [tag for tag in args.to if tag != args.source]
    if not targets:
        hint = "for example --to de,sw"
        raise InputError(Problem(where="--to", message=f"nothing to translate {args.source!r} into", hint=hint))
    return targets


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
