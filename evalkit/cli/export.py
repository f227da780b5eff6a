"""`evalkit export`: write a run in another tool's format."""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from typing import Any

from evalkit.cli import values
from evalkit.cli.options import JUDGE, OUTPUT, RUN, add
from evalkit.cli.output import print_json, say
from evalkit.cli.parser import declare, glossary
from evalkit.exchange.exporters import TABLES
from evalkit.shipped import formats


def add_parser(commands: Any, summary: str) -> None:
    """Declare the command."""
    example = "evalkit export reports/quickstart/sprout-2 --format preference-pairs --output pairs.jsonl"
    parser = declare(commands, "export", summary, example=example, handler=run)
    add(parser, RUN)
    summaries = formats("evalkit.exchange.exporters")
    parser.epilog = f"{glossary('formats', summaries)}\n\n{parser.epilog}"
    parser.add_argument("--format", required=True, choices=list(summaries), metavar="FORMAT", help=", ".join(summaries))
    add(parser, replace(OUTPUT, type=values.path, required=True, help="file to write; a folder for `dataset`"))
    add(parser, replace(JUDGE, help="only this judge (default: all)"))
    parser.add_argument("--table", choices=TABLES, default=TABLES[0], help="csv, jsonl, parquet: which table")
    parser.add_argument("--disagreeing", action="store_true", help="preference-pairs: also pairs whose orders disagree")
    parser.add_argument(
        "--min-margin",
        type=values.share,
        default=0.0,
        metavar="M",
        help="preference-pairs: smallest margin, from 0 to 1",
    )


def run(args: argparse.Namespace) -> int:
    """Write the files; say what is in them."""
    from evalkit.exchange import exporter
    from evalkit.exchange.exporters import ExportOptions
    from evalkit.files import write_all
    from evalkit.run import read_run
    from evalkit.stored import find_run

    options = ExportOptions(
        table=args.table,
        judge=args.judge,
        disagreeing=args.disagreeing,
        min_margin=args.min_margin,
        now=time.time(),
    )
    export = exporter(args.format)(read_run(find_run(args.run)), options)
    files = {args.output / name if name else args.output: content for name, content in export.files.items()}
    write_all(files, option="--output")
    paths = [str(path) for path in files]
    if args.json:
        print_json({"files": paths, "notes": export.notes})
    else:
        say("; ".join(export.notes))
        print("\n".join(paths))
    return 0
