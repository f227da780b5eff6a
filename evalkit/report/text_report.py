"""The report as text, for the terminal and for a pull request: the same sentence, cautions and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evalkit.report.cautions import unsaid
from evalkit.report.summary import headline
from evalkit.report.tables import tables
from evalkit.report.view import View
from evalkit.results import Results
from evalkit.text.markdown import escape, markdown
from evalkit.text.safe import printable
from evalkit.text.terminal import TerminalTable

if TYPE_CHECKING:
    from rich.console import RenderableType

CAUTIONS = "Before you quote this"


def render_terminal(results: Results) -> list[RenderableType]:
    """Return the summary of a run as rich renderables, to print one after another."""
    from rich.padding import Padding
    from rich.text import Text

    parts: list[RenderableType] = [Text(printable(headline(results)), style="bold"), Text()]
    found = unsaid(results)
    if found:
        parts.append(Text(CAUTIONS, style="bold yellow"))
        parts += [Padding(Text(f"• {printable(str(item['message']))}"), (0, 0, 0, 1)) for item in found]
        parts.append(Text())
    return parts + [TerminalTable(table) for table in tables(results)]


def render_markdown(results: Results) -> str:
    """Return the summary of a run as GitHub-flavoured Markdown."""
    view = View(results)
    parts = [f"## {escape(view.candidate)} against {escape(view.baseline)}", escape(headline(results))]
    found = unsaid(results)
    if found:
        parts.append(f"**{CAUTIONS}**\n\n" + "\n".join(f"- {escape(str(item['message']))}" for item in found))
    parts += [markdown(table) for table in tables(results)]
    return "\n\n".join(parts) + "\n"
