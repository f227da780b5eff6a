"""Figures of results.json as cells of a table: written in their metric's unit, with their value and their source."""

from __future__ import annotations

from evalkit.report.view import Figure
from evalkit.text.table import Cell, Source
from evalkit.text.wording import in_unit, interval_in_unit, points
from evalkit.words import Unit, metric


def value_cell(figure: Figure, *, bare: bool = False) -> Cell:
    """Return a figure; `bare` leaves out the percent sign, where a whole column is percentages."""
    unit = metric(figure.metric).unit
    return Cell(
        text=points(figure.value) if bare else in_unit(figure.value, unit),
        value=figure.value,
        source=_source(figure),
        added=0.5 if unit is Unit.FROM_HALF else 0.0,
        hint="" if figure.defined else figure.method,
    )


def interval_cell(figure: Figure) -> Cell:
    """Return the interval of a figure."""
    return Cell(
        text=interval_in_unit(figure.low, figure.high, metric(figure.metric).unit),
        ends=(figure.low, figure.high),
        source=_source(figure),
        hint="" if figure.bounded else figure.method,
        tone="mut",
    )


def _source(figure: Figure) -> Source:
    return Source(judge=figure.judge, language=figure.language, slice=figure.slice, metric=figure.metric)
