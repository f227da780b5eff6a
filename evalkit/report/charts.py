"""Charts of the page. Titles say the finding; labels hold no text of models; every chart has its data as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from evalkit.report.view import View


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One chart: what it shows, in words, as a plotly figure and as a table."""

    name: str
    section: str
    finding: str
    explanation: str
    plotly: dict[str, Any]
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def charts(view: View) -> list[Chart]:
    """Return the charts that the results can draw."""
    return []
