"""The terminal and the Markdown twin say what the page says, and obey no text of others."""

from __future__ import annotations

import io
import re

from rich.console import Console

from evalkit.records import RunData
from evalkit.report.cautions import cautions
from evalkit.report.examples import find
from evalkit.report.markdown import escape, render_markdown
from evalkit.report.single import render_example
from evalkit.report.summary import headline
from evalkit.report.tables import tables
from evalkit.report.terminal import render_terminal
from tests.report.make_run import hostile_run


def printed(parts: list[object]) -> str:
    target = io.StringIO()
    console = Console(file=target, width=220, force_terminal=True, color_system="standard")
    for part in parts:
        console.print(part)
    return target.getvalue()


def test_markdown_holds_the_sentence_every_caution_and_every_cell(made_up: RunData) -> None:
    text = render_markdown(made_up.results)
    assert headline(made_up.results) in text
    for caution in cautions(made_up.results):
        assert escape(str(caution["message"])) in text
    for table in tables(made_up.results):
        for row in table.rows:
            assert any(all(escape(cell) in line for cell in row) for line in text.splitlines())


def test_markdown_tables_keep_their_shape_whatever_the_names() -> None:
    for line in render_markdown(hostile_run().results).splitlines():
        if line.startswith("|"):
            assert len(re.findall(r"(?<!\\)\|", line)) in {13, 8, 6, 5}


def test_markdown_neither_links_nor_mentions() -> None:
    assert escape("[x](javascript:y) @somebody <b>") == "\\[x\\](javascript:y) @\u2060somebody \\<b\\>"
    assert escape("openai/aya@http://127.0.0.1/v1") == "openai/aya@http://127.0.0.1/v1"


def test_the_terminal_shows_the_same_tables(made_up: RunData) -> None:
    text = printed(list(render_terminal(made_up.results)))
    for table in tables(made_up.results):
        assert table.title in text
        assert all(row[0].split(",")[0] in text for row in table.rows)


def test_no_control_character_of_others_reaches_the_terminal() -> None:
    run = hostile_run()
    own = re.compile(r"\x1b\[[\d;]*m")
    for parts in (render_terminal(run.results), render_example(run, find(run, 'he-h15"><b>'))):
        text = own.sub("", printed(list(parts)))
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)


def test_one_example_shows_both_orders_with_a_and_b_named(made_up: RunData) -> None:
    text = printed(list(render_example(made_up, find(made_up, "th-7"))))
    assert "Candidate shown first" in text
    assert "Baseline shown first" in text
    assert re.search(r"[AB], (sprout-2|oak-large); score of the candidate", text)
    assert "ช่วยแนะนำ" in text
