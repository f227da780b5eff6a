"""The report as Markdown, for a pull request: the same sentence, cautions and tables."""

from __future__ import annotations

import re

from evalkit.report.cautions import unsaid
from evalkit.report.summary import headline
from evalkit.report.tables import Table, tables
from evalkit.report.view import View
from evalkit.results import Results

_SPECIAL = str.maketrans({mark: f"\\{mark}" for mark in "\\`*_{}[]<>#|~"} | {"\n": " ", "\r": " "})
"""Names come from elsewhere: no markup, and no line break."""
_MENTION = re.compile(r"(?<!\w)@(?=\w)")
"""What a code host takes for somebody's name; the @ within an address or a model reference is none."""


def render_markdown(results: Results) -> str:
    """Return the summary of a run as GitHub-flavoured Markdown."""
    view = View(results)
    parts = [f"## {escape(view.candidate)} against {escape(view.baseline)}", escape(headline(results))]
    found = unsaid(results)
    if found:
        parts.append("**Before you quote this**\n\n" + "\n".join(f"- {escape(str(item['message']))}" for item in found))
    parts += [render_table(table) for table in tables(results)]
    return "\n\n".join(parts) + "\n"


def render_table(table: Table) -> str:
    """Return one table under its title."""
    rule = "|".join(":--" if column in table.left else "--:" for column in range(len(table.columns)))
    lines = [
        f"### {table.title}",
        "",
        _line(table.columns),
        f"|{rule}|",
        *(_line(row, strong=number in table.strong) for number, row in enumerate(table.rows)),
    ]
    return "\n".join(lines)


def escape(text: str) -> str:
    """Return text that Markdown shows as it is, on one line."""
    return _MENTION.sub("@\u2060", text.translate(_SPECIAL))


def _line(cells: tuple[str, ...], *, strong: bool = False) -> str:
    shown = [f"**{escape(cell)}**" if strong else escape(cell) for cell in cells]
    return f"| {' | '.join(shown)} |"
