"""Raw to length-controlled win rate, one line a language."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from evalkit.report.charts.base import SIZE, Chart, Plane, figure_of, label, padded, percent_ticks
from evalkit.report.drawing import TONES, Dot, Drawing, Label, Line, Shape, Tone
from evalkit.report.view import LanguageRow, View
from evalkit.text import wording

MOVED = 0.015
"""Change by length control from which a language is named."""
NAMED = 8
"""Most languages that are named."""


def slope_chart(view: View) -> Chart | None:
    """Raw to length-controlled win rate, one line a language; those that move are named."""
    rows = [row for row in view.language_rows if row.raw.defined and row.controlled.defined]
    if not rows:
        return None
    # Tiny languages move for no reason, so that they are not named while there are others.
    firm = [row for row in rows if not row.small] or rows
    movers = sorted((row for row in firm if abs(_move(row)) >= MOVED), key=lambda row: -abs(_move(row)))[:NAMED]
    finding = (
        f"Length control moves {movers[0].name} most: {100 * _move(movers[0]):+.1f} points"
        if movers
        else "Length control moves no language by 1.5 points or more"
    )
    return Chart(
        name="slope",
        section="length",
        finding=finding,
        explanation="Raw and length-controlled win rate, a line a language, named where it moves 1.5 points or more. "
        "Where the line rises, the candidate was losing by being short.",
        drawing=_slope_drawing(rows, movers, finding),
        plotly=_slope_plotly(rows, movers),
        columns=("Language", "Raw", "Length-controlled", "Change"),
        rows=tuple(
            (
                row.name,
                wording.percent(row.raw.value),
                wording.percent(row.controlled.value),
                f"{100 * _move(row):+.1f}",
            )
            for row in rows
        ),
    )


def _move(row: LanguageRow) -> float:
    return row.controlled.value - row.raw.value


def _slope_range(rows: Sequence[LanguageRow]) -> tuple[float, float]:
    rates = [rate for row in rows for rate in (row.raw.value, row.controlled.value)]
    return padded(min(*rates, 0.5), max(*rates, 0.5))


def _spread(values: Mapping[str, float], gap: float) -> dict[str, float]:
    """Move labels apart, upwards, so that none covers another."""
    placed: dict[str, float] = {}
    last = -math.inf
    for name, value in sorted(values.items(), key=lambda item: item[1]):
        last = max(value, last + gap)
        placed[name] = last
    return placed


def _slope_drawing(rows: Sequence[LanguageRow], movers: Sequence[LanguageRow], finding: str) -> Drawing:
    low, high = _slope_range(rows)
    plane = Plane(x_range=(-0.08, 1.7), y_range=(low, high))
    shapes: list[Shape] = []
    for tick in percent_ticks(low, high):
        shapes += plane.horizontal(tick / 100, f"{tick}%")
    shapes += plane.horizontal(0.5, "", tone="muted", dashed=True)
    named = {row.language for row in movers}
    for row in rows:
        tone: Tone = "tie" if row.language not in named else "candidate" if _move(row) > 0 else "baseline"
        y1, y2 = plane.y(row.raw.value), plane.y(row.controlled.value)
        width = 2 if row.language in named else 1
        shapes.append(Line(x1=plane.x(0), y1=y1, x2=plane.x(1), y2=y2, tone=tone, width=width))
        shapes += [Dot(x=plane.x(x), y=y, radius=2.5, tone=tone) for x, y in ((0, y1), (1, y2))]
    places = _spread({row.language: row.controlled.value for row in movers}, 13 * (high - low) / 282)
    shapes += [
        Label(x=plane.x(1.04), y=plane.y(places[row.language]) + 4, text=f"{row.name} {100 * _move(row):+.1f}")
        for row in movers
    ]
    shapes += [
        Label(x=plane.x(x), y=plane.height - 18, text=text, anchor="middle", tone="muted")
        for x, text in ((0, "raw"), (1, "length-controlled"))
    ]
    return Drawing(width=SIZE[0], height=SIZE[1], shapes=tuple(shapes), title=finding)


def _slope_plotly(rows: Sequence[LanguageRow], movers: Sequence[LanguageRow]) -> dict[str, Any]:
    low, high = _slope_range(rows)
    named = {row.language for row in movers}
    places = _spread({row.language: row.controlled.value for row in movers}, 0.055 * (high - low))
    data = []
    for row in rows:
        moved = row.language in named
        colour = TONES["muted" if not moved else "candidate" if _move(row) > 0 else "baseline"]
        data.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "x": [0, 1],
                "y": [row.raw.value, row.controlled.value],
                "line": {"color": colour, "width": 2 if moved else 1},
                "marker": {"size": 5, "color": colour},
                "opacity": 1 if moved else 0.6,
                "hovertemplate": f"{label(row.name)}<br>%{{y:.1%}}<extra></extra>",
            }
        )
    notes = [
        {
            "x": 1.04,
            "y": places[row.language],
            "text": f"{label(row.name)} {100 * _move(row):+.1f}",
            "showarrow": False,
            "xanchor": "left",
            "font": {"size": 11},
        }
        for row in movers
    ]
    x_axis = {"range": [-0.08, 1.7], "tickvals": [0, 1], "ticktext": ["raw", "length-controlled"], "showgrid": False}
    return figure_of(data, x_axis, {"tickformat": ".0%", "range": [low, high]}, annotations=notes, half="y")
