"""`evalkit report`: write a run's report again: for sharing, by language, as Markdown, or its figures for a paper."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalkit.cli.output import declare, print_json, say
from evalkit.errors import InputError, Problem

if TYPE_CHECKING:
    from evalkit.records import RunData

_UNITS = {"": 1, "kb": 1000, "mb": 1000**2, "gb": 1000**3}


def add_parser(commands: Any, summary: str) -> None:
    """Declare the command."""
    example = "evalkit report reports/quickstart/sprout-2 --share --redact rationales --output for-you.html"
    parser = declare(commands, "report", summary, example=example, handler=run)
    parser.add_argument("run", type=Path, metavar="RUN", help="a run directory")
    parser.add_argument("--output", type=Path, metavar="FILE", help="where to write (default: in the run directory)")
    parser.add_argument(
        "--format", choices=("html", "md"), default="html", help="md goes to standard output by default"
    )
    parser.add_argument(
        "--share", action="store_true", help="leave out paths, addresses, host and user names; ask not to be indexed"
    )
    parser.add_argument(
        "--redact",
        action="append",
        choices=("prompts", "answers", "rationales"),
        default=[],
        help="take these out of the examples (repeat for more)",
    )
    parser.add_argument("--max-bytes", type=size, default=5_000_000, metavar="N", help="default 5MB")
    parser.add_argument("--pages", choices=("language",), help="also one page a language, with more of its texts")
    parser.add_argument(
        "--figures", type=Path, metavar="DIR", help="also plots as SVG and PDF, tables as LaTeX and CSV"
    )


def size(text: str) -> int:
    """Read a number of bytes: 5000000, 5MB, 1.5 mb."""
    found = re.fullmatch(r"([\d_]+(?:\.\d+)?)\s*([kmg]?b?)", text.strip().lower())
    unit = found[2] if found else None
    if not found or unit is None or (unit and not unit.endswith("b")):
        raise argparse.ArgumentTypeError(f"{text!r} is no size: write 5000000 or 5MB")
    return int(float(found[1]) * _UNITS["" if unit == "b" else unit])


def run(args: argparse.Namespace) -> int:
    """Write what was asked for; say how large it is and what it holds."""
    from evalkit.report.markdown import render_markdown
    from evalkit.report.sharing import shareable
    from evalkit.run import read_run

    data = read_run(args.run)
    if args.format == "md":
        text = render_markdown((shareable(data) if args.share else data).results)
        if args.output is None and not args.json:
            print(text, end="")
            return 0
        files: dict[Path, str | bytes] = {args.output: text} if args.output else {}
        document: dict[str, Any] = {} if args.output else {"markdown": text}
    else:
        files, document = _pages(args, data), {}
    if args.figures:
        files |= _figures(args.figures, data)
    write_all(files)
    if args.json:
        print_json({**document, "files": {str(path): len(_bytes(content)) for path, content in files.items()}})
    for path, content in files.items():
        say(f"{path}: {len(_bytes(content)):,} bytes{_contents(args, path, content)}")
    return 0


def _pages(args: argparse.Namespace, data: RunData) -> dict[Path, str | bytes]:
    """The report, and one page a language where asked for."""
    from evalkit.report.page import render_page

    output: Path = args.output or args.run / ("report-share.html" if args.share else "report.html")
    options = {"max_bytes": args.max_bytes, "share": args.share, "redact": frozenset(args.redact)}
    if not args.pages:
        return {output: render_page(data, **options)}
    languages = dict.fromkeys(prompt.language for prompt in data.prompts)
    names = {language: f"{output.stem}-{language}.html" for language in languages}
    pages: dict[Path, str | bytes] = {output: render_page(data, pages=names, **options)}
    for language, name in names.items():
        pages[output.with_name(name)] = render_page(data, language=language, **options)
    return pages


def _figures(folder: Path, data: RunData) -> dict[Path, str | bytes]:
    from evalkit.report.figures import figures

    return {folder / name: content for name, content in figures(data).items()}


def write_all(files: Mapping[Path, str | bytes]) -> None:
    """Write files whole, making their folders.

    Raises:
        InputError: one cannot be written; what stood there before stays.
    """
    from evalkit.run import write_whole

    for path, content in files.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, content)
        except OSError as fault:
            hint = "choose another --output"
            raise InputError(Problem(where=str(path), message=f"cannot write: {fault.strerror}", hint=hint)) from None


def _bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


def _contents(args: argparse.Namespace, path: Path, content: str | bytes) -> str:
    """What a page holds, in words; "" for other files."""
    if path.suffix != ".html" or not isinstance(content, str):
        return ""
    found = re.search(r'<p class="mut sm" id="holds">(.*?)</p>', content, re.DOTALL)
    words = re.sub(r"<[^>]*>|\s+", " ", found[1] if found else "").split(". ")[0].strip()
    kept_out = f"; without {', '.join(sorted(set(args.redact)))}" if args.redact else ""
    return f"; {' '.join(words.split())}{kept_out}"
