"""One table, five renderers: the same cells everywhere, nothing of others obeyed, and a narrow terminal stays legible."""

from __future__ import annotations

import csv
import io

import pytest
from rich.console import Console

from evalkit.text import wording
from evalkit.text.latex import latex
from evalkit.text.markdown import markdown
from evalkit.text.markup import markup, scrolled
from evalkit.text.sheet import sheet
from evalkit.text.table import Cell, Source, Table, cells
from evalkit.text.terminal import TerminalTable, parts
from evalkit.words import Unit

SOURCE = Source(judge="panel", language="de", slice=None, metric="win_rate")
TABLE = Table(
    name="one",
    title="Languages & more",
    columns=("Language", "Raw", "Interval"),
    rows=cells(
        [
            ("<b>Ger|man_\u202e", Cell(text="49.3%", value=0.493, source=SOURCE), Cell(text="45.6 to 53.0", ends=(0.456, 0.53))),
            ("none", Cell(text="n/a", value=float("nan"), hint="no scored pairs"), "n/a"),
        ]
    ),
    strong=frozenset({0}),
    hints=("", "mean score", ""),
)  # fmt: skip
WIDE = Table(
    name="wide",
    title="Wide",
    columns=("Language", *(f"Column {number}" for number in range(12))),
    rows=cells([("Mean of languages", *("48.4 to 66.0",) * 12), ("中文", *("▲ better",) * 12)]),
)


def printed(table: Table, width: int) -> str:
    screen = io.StringIO()
    Console(file=screen, width=width).print(TerminalTable(table))
    return screen.getvalue()


def test_every_renderer_shows_every_cell() -> None:
    for text in (markdown(TABLE), latex(TABLE).replace(r"\%", "%"), str(markup(TABLE)), printed(TABLE, 100)):
        for shown in ("Language", "Raw", "Interval", "49.3%", "45.6 to 53.0", "none", "n/a"):
            assert shown in text


def test_names_of_others_are_text_in_every_renderer() -> None:
    assert "**\\<b\\>Ger\\|man\\_\ufffd**" in markdown(TABLE)
    assert "\\textless{}b\\textgreater{}Ger|man\\_" in latex(TABLE)
    assert '&lt;b&gt;Ger|man_<span class="ctl" title="U+202E">RLO</span>' in markup(TABLE)
    assert "\u202e" not in printed(TABLE, 100)


def test_html_names_the_source_of_a_figure_and_why_there_is_none() -> None:
    html = str(markup(TABLE, sortable=True))
    assert '<data value="0.493" data-figure="panel de win_rate">49.3%</data>' in html
    assert '<span class="mut" title="no scored pairs">n/a</span>' in html
    assert 'data-key="0.493"' in html
    assert 'data-key="nan"' in html
    assert '<tr class="total">' in html
    assert '<th scope="col" title="mean score">Raw</th>' in html
    assert 'aria-label="Languages &amp; more, table"' in scrolled(TABLE)
    assert "<caption>Languages &amp; more</caption>" in markup(TABLE, captioned=True)


@pytest.mark.parametrize("width", [40, 80, 200])
def test_a_table_too_wide_for_the_terminal_goes_on_below_with_its_figures_whole(width: int) -> None:
    lines = printed(WIDE, width).splitlines()
    assert max(map(len, lines)) <= width
    assert sum(line.count("48.4 to 66.0") for line in lines) == 12
    shown = list(parts(WIDE, width))
    assert [each for part in shown for each in part[1:]] == list(range(1, 13))
    assert all(part[0] == 0 for part in shown)
    assert sum(line.startswith("Mean of languages") for line in lines) == len(shown)


def test_csv_keeps_precision_and_leaves_undefined_figures_empty() -> None:
    text = sheet([{"a": 1 / 3, "b": None, "c": float("nan")}, {"a": "x,\ny", "d": True}])
    assert list(csv.reader(io.StringIO(text))) == [
        ["a", "b", "c", "d"],
        [repr(1 / 3), "", "", ""],
        ["x,\ny", "", "", "True"],
    ]
    assert sheet([]) == ""


@pytest.mark.parametrize(
    ("unit", "value", "text", "bounds"),
    [
        (Unit.FRACTION, 0.493, "49.3%", "39.3 to 59.3"),
        (Unit.FROM_HALF, 0.031, "53.1%", "43.1 to 63.1"),
        (Unit.RATIO, 0.83, "×0.83", "×0.73 to ×0.93"),
        (Unit.NUMBER, 0.35, "0.35", "0.25 to 0.45"),
    ],
)
def test_a_figure_and_its_interval_are_written_in_one_unit(unit: Unit, value: float, text: str, bounds: str) -> None:
    assert wording.in_unit(value, unit) == text
    assert wording.interval_in_unit(value - 0.1, value + 0.1, unit) == bounds
    assert wording.in_unit(float("nan"), unit) == wording.interval_in_unit(float("nan"), 1, unit) == "n/a"


def test_p_values() -> None:
    assert [wording.p_words(value) for value in (0.021, 0.0002, float("nan"))] == ["p = 0.021", "p < 0.001", "p n/a"]
    assert [wording.p_value(value) for value in (0.021, 0.0002, float("nan"))] == ["0.021", "< 0.001", "n/a"]
