"""`evalkit compare`: the paired difference between two candidates against the same baseline."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from evalkit.cli.output import declare, print_json


def add_parser(commands: Any, summary: str) -> None:
    """Declare the command."""
    example = "evalkit compare reports/xalpaca/step-2000 reports/xalpaca/step-1000"
    parser = declare(commands, "compare", summary, example=example, handler=run)
    parser.add_argument("first", type=Path, metavar="RUN", help="a run directory, or its name below reports/")
    parser.add_argument("second", type=Path, metavar="RUN", help="the run it is compared with")
    parser.add_argument("--judge", metavar="NAME", help="which judge (default: the panel, or the only one)")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the Markdown there too")
    parser.add_argument("--allow-mixed", action="store_true", help="compare what the runs share although they differ")


def run(args: argparse.Namespace) -> int:
    """Print the sentence, the table and the prompts that changed hands."""
    from evalkit.boards.compare_text import document, markdown
    from evalkit.files import write_all
    from evalkit.stages.boards import compare_folders
    from evalkit.stored import find_run

    first, second = find_run(args.first), find_run(args.second)
    paired = compare_folders(first, second, judge=args.judge, allow_mixed=args.allow_mixed)
    text = markdown(paired)
    if args.output:
        write_all({args.output: text}, option="--output")
    if args.json:
        print_json(document(paired))
    else:
        print(text, end="")
    return 0
