"""The report on a terminal: the same sentence, cautions and tables, as rich renderables; the CLI prints them."""

from __future__ import annotations

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from evalkit.report.cautions import unsaid
from evalkit.report.summary import headline
from evalkit.report.tables import Table, tables
from evalkit.results import Results


def render_terminal(results: Results) -> list[RenderableType]:
    """Return the summary of a run, to print one after another."""
    parts: list[RenderableType] = [Text(printable(headline(results)), style="bold"), Text()]
    found = unsaid(results)
    if found:
        parts.append(Text("Before you quote this", style="bold yellow"))
        parts += [Padding(Text(f"• {printable(str(item['message']))}"), (0, 0, 0, 1)) for item in found]
        parts.append(Text())
    return parts + [render_table(table) for table in tables(results)]


def render_table(table: Table) -> RichTable:
    """Return one table; rows that stand for all others are bold."""
    drawn = RichTable(title=table.title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for number, column in enumerate(table.columns):
        drawn.add_column(column, justify="left" if number in table.left else "right", overflow="fold")
    for number, row in enumerate(table.rows):
        cells = [Text(printable(cell), style=_style(cell)) for cell in row]
        drawn.add_row(*cells, style="bold" if number in table.strong else None)
    return drawn


def printable(text: str) -> str:
    """Return text without control characters, which a terminal would obey."""
    return "".join(letter if letter.isprintable() or letter in "\u200c\u200d" else "\ufffd" for letter in text)


def _style(cell: str) -> str:
    return {"▲": "blue", "▼": "dark_orange"}.get(cell[:1], "")
