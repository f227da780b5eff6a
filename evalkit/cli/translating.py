"""`evalkit suites translate`: one suite in one language becomes one in many."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalkit.cli import values
from evalkit.cli.options import DATA, LEDGER, LIMIT, MAX_COST, OUT, SOURCE, SUITE, add, data_folder, ledger_path
from evalkit.cli.output import print_json, say
from evalkit.errors import InputError, Problem

if TYPE_CHECKING:
    from evalkit.records import Prompt
    from evalkit.stages.translate_suite import Translated
    from evalkit.suite import LoadedSuite, ModelConfig

MAX_TOKENS = 8192


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare what to translate, into what, by whom."""
    add(parser, SUITE)
    parser.add_argument(
        "--to", type=values.languages, required=True, metavar="de,sw", help="languages to translate into"
    )
    parser.add_argument("--model", type=values.model, required=True, metavar="REF", help="the model that translates")
    add(parser, SOURCE, LIMIT, replace(OUT, help="folder of the new suite (default: SUITE-translated)"), DATA, LEDGER)
    add(parser, MAX_COST)


def run(args: argparse.Namespace) -> int:
    """Translate, write the new suite, and say what to look at."""
    from evalkit.data.prompts import read_prompts
    from evalkit.stages.translate_suite import write_translation
    from evalkit.suite import load_suite, model_config, override

    source, targets = args.source, _targets(args)
    loaded = load_suite(args.suite)
    suite = override(loaded.suite, languages=[source], limit=args.limit)
    prompts = read_prompts(suite, folder=loaded.folder, data=data_folder(args.data))
    config = model_config(args.model)
    translated = _translate(prompts, targets, config, args)
    folder: Path = args.out or Path(f"{suite.name}-translated")
    file, review = write_translation(folder, suite, sources=prompts, translated=translated, model=config.model)
    _tell(args, loaded, file, review, translated)
    return 0


def _targets(args: argparse.Namespace) -> list[str]:
    """Return the languages to translate into, without the source."""
    targets = [tag for tag in args.to if tag != args.source]
    if not targets:
        hint = "for example --to de,sw"
        raise InputError(Problem(where="--to", message=f"nothing to translate {args.source!r} into", hint=hint))
    return targets


def _translate(
    prompts: tuple[Prompt, ...], targets: list[str], config: ModelConfig, args: argparse.Namespace
) -> Translated:
    """Ask through the ledger, with progress on standard error."""
    import asyncio

    from evalkit.calls import Sampling
    from evalkit.cli.progress import progress_display
    from evalkit.dispatch import Limits
    from evalkit.dispatch.session import Session
    from evalkit.ledger import Ledger
    from evalkit.models import provider_class
    from evalkit.pricing import Pricing
    from evalkit.stages.translate_suite import translate
    from evalkit.suite import model_of

    model = model_of(config)
    provider_class(model.provider)
    limits = Limits(max_cost=args.max_cost)
    sampling = Sampling(temperature=0.0, max_tokens=MAX_TOKENS)
    with Ledger(ledger_path(args.ledger)) as ledger, progress_display(quiet=args.json) as progress:
        session = Session(ledger=ledger, limits=limits, pricing=Pricing(), progress=progress)
        return asyncio.run(translate(prompts, to=targets, model=model, sampling=sampling, session=session))


def _tell(args: argparse.Namespace, loaded: LoadedSuite, file: Path, review: Path, translated: Translated) -> None:
    document: dict[str, Any] = {
        "suite": str(file),
        "review": str(review),
        "prompts": len(translated.prompts),
        "doubts": len(translated.doubts),
        "left_out": list(translated.left_out),
    }
    if args.json:
        print_json(document)
        return
    print(f"{file}: {len(translated.prompts):,} translations; {len(translated.doubts):,} to look at in {review}")
    if translated.left_out:
        listed = ", ".join(translated.left_out[:5]) + (" …" if len(translated.left_out) > 5 else "")  # noqa: PLR2004
        print(f"left out, for want of a translation in some language: {listed}")
    licence = loaded.suite.about.licence
    if licence:
        say(f"the source's licence holds for translations too: {licence}")
