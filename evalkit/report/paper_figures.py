"""Figures for papers: plots as SVG and PDF, tables as LaTeX (booktabs) and CSV with full precision."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from evalkit.records import json_ready
from evalkit.report import wording
from evalkit.report.charts import charts
from evalkit.report.drawing import Arrow, Box, Dot, Drawing, Label, Line, Shape, Tone, svg
from evalkit.report.forest import Axis, axis_of, shown
from evalkit.report.pdf import pdf
from evalkit.report.summary import headline
from evalkit.report.tables import Table, tables
from evalkit.report.view import LanguageRow, View
from evalkit.results import RunData

ROW = 22
_AXIS_LEFT, _AXIS_WIDTH, _SHEET = 250, 300, 700
_CLAIM_TONES: dict[str, Tone] = {"better": "candidate", "worse": "baseline", "unclear": "muted"}
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "×": r"$\times$", "κ": r"$\kappa$", "▲": "", "▼": "", "–": "--",
}  # fmt: skip


def figures(run: RunData) -> dict[str, bytes]:
    """Return the content of every file, by name."""
    view = View(run.results)
    drawings = {"forest": forest_drawing(view), **{chart.name: chart.drawing for chart in charts(view)}}
    files: dict[str, bytes] = {}
    for name, drawing in drawings.items():
        files[f"{name}.svg"] = svg(drawing).encode()
        files[f"{name}.pdf"] = pdf(drawing)
    for table in tables(run.results):
        files[f"{table.name}.tex"] = latex(table).encode("utf-8", "replace")
    files["languages.csv"] = _csv(_numbers(row) for row in _rows(view))
    files["estimates.csv"] = _csv([json_ready(row) for row in run.results.estimates])
    return files


def forest_drawing(view: View) -> Drawing:
    """Return the forest plot: a language a row, win/tie/loss, raw and length-controlled, interval and claim."""
    rows = _rows(view)
    axis = axis_of(rows, width=_AXIS_WIDTH)
    height = ROW * len(rows) + 52
    shapes: list[Shape] = []
    for tick in axis.ticks:
        x = _AXIS_LEFT + axis.x(tick / 100)
        shapes.append(Line(x1=x, x2=x, y1=24, y2=height - 26, tone="grid"))
        shapes.append(Label(x=x, y=height - 12, text=f"{tick}%", anchor="middle", tone="muted", size=10))
    half = _AXIS_LEFT + axis.x(0.5)
    shapes.append(Line(x1=half, x2=half, y1=24, y2=height - 26, tone="muted", dashed=True))
    heads = (
        (8, "start", "language"),
        (150, "start", "win, tie, loss"),
        (_AXIS_LEFT + 10, "start", "length-controlled"),
        (_AXIS_LEFT + 122, "start", "raw"),
    )
    shapes += [Label(x=x, y=16, text=text, anchor=anchor, tone="muted", size=10) for x, anchor, text in heads]  # type: ignore[arg-type]
    shapes.append(Dot(x=_AXIS_LEFT, y=12.5, radius=4, tone="muted"))
    shapes.append(Dot(x=_AXIS_LEFT + 112, y=12.5, radius=3.5, tone="muted", hollow=True))
    for place, row in enumerate(rows):
        shapes += _row(row, 24 + ROW * (place + 0.5), axis)
    return Drawing(width=_SHEET, height=height, shapes=tuple(shapes), title=headline(view.results))


def _row(row: LanguageRow, y: float, axis: Axis) -> list[Shape]:
    figure, tone = shown(row), _CLAIM_TONES[row.claim]
    shapes: list[Shape] = [Label(x=8, y=y + 4, text=row.name, bold=row.total)]
    left = 150.0
    for number, colour in ((row.win, "candidate"), (row.tie, "tie"), (row.loss, "baseline")):
        width = 84 * number / row.n if row.n else 0
        shapes.append(Box(x=left, y=y - 6, width=width, height=12, tone=colour))  # type: ignore[arg-type]
        left += width
    if row.raw.defined:
        shapes.append(Dot(x=_AXIS_LEFT + axis.x(row.raw.value), y=y, radius=3.5, tone="muted", hollow=True))
    if figure.bounded:
        ends = [_AXIS_LEFT + axis.x(end) for end in (figure.low, figure.high)]
        shapes.append(Line(x1=ends[0], x2=ends[1], y1=y, y2=y, tone=tone, width=2))
        beyond = ((figure.low < axis.low, ends[0], -1), (figure.high > axis.high, ends[1], 1))
        shapes += [Arrow(x=x, y=y, way=way, tone=tone) for out, x, way in beyond if out]
    if row.controlled.defined:
        shapes.append(Dot(x=_AXIS_LEFT + axis.x(row.controlled.value), y=y, radius=5 if row.total else 4, tone=tone))
    told = f"{wording.points(figure.value)} ({wording.interval(figure.low, figure.high)})"
    right = _AXIS_LEFT + _AXIS_WIDTH + 10
    return [*shapes, Label(x=right, y=y + 4, text=f"{told} {row.verdict}", size=10, tone="ink")]


def _rows(view: View) -> list[LanguageRow]:
    total = [view.total_row] if len(view.languages) > 1 else []
    return [*total, *view.language_rows]


def _numbers(row: LanguageRow) -> dict[str, Any]:
    """The row with full precision; undefined figures are empty."""
    figures_of = {"win_rate": row.raw, "length_controlled_win_rate": row.controlled}
    bounds = {
        f"{name}{end}": getattr(figure, attribute)
        for name, figure in figures_of.items()
        for end, attribute in (("", "value"), ("_low", "low"), ("_high", "high"))
    }
    return {
        "language": row.language,
        "name": row.name,
        "n": row.n,
        "win": row.win,
        "tie": row.tie,
        "loss": row.loss,
        "missing": row.missing,
        **bounds,
        "claim": row.claim,
        "flip_rate": row.flips.value,
        "length_ratio": row.length.value,
        "wrong_language": row.wrong,
    }


def _csv(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Return CSV (RFC 4180); a text that a spreadsheet would take for a formula gets an apostrophe."""
    listed = list(rows)
    target = io.StringIO()
    if listed:
        writer = csv.DictWriter(target, fieldnames=list(listed[0]))
        writer.writeheader()
        writer.writerows({key: _cell(value) for key, value in row.items()} for row in listed)
    return target.getvalue().encode("utf-8", "replace")


def _cell(value: Any) -> Any:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def latex(table: Table) -> str:
    """Return the table as a LaTeX tabular (packages booktabs)."""
    columns = "".join("l" if number in table.left else "r" for number in range(len(table.columns)))
    lines = [
        f"% {table.title}: \\usepackage{{booktabs}}",
        f"\\begin{{tabular}}{{{columns}}}",
        "\\toprule",
        _latex_row(table.columns),
        "\\midrule",
        *(_latex_row(row, strong=number in table.strong) for number, row in enumerate(table.rows)),
        "\\bottomrule",
        "\\end{tabular}",
    ]
    return "\n".join(lines) + "\n"


def _latex_row(cells: Sequence[str], *, strong: bool = False) -> str:
    shown_cells = [
        "".join(_LATEX.get(letter, letter) for letter in " ".join(cell.split()).removeprefix("– ")).strip()
        for cell in cells
    ]
    return " & ".join(f"\\textbf{{{cell}}}" if strong else cell for cell in shown_cells) + " \\\\"
