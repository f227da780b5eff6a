"""One vocabulary of metrics: computed, documented and shown under the same names; a new one is declared once."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from evalkit import words
from evalkit.boards.leaderboard import Entry, board_csv, build, document, markdown
from evalkit.cli.check import add_parser
from evalkit.report.leaderboard import render_leaderboard
from evalkit.report.page import render_page
from evalkit.report.text_report import render_markdown, render_terminal
from evalkit.settings import StatisticsSettings
from evalkit.statistics import analysis
from evalkit.statistics.metrics import JUDGED, NOISE, UNJUDGED, Metric
from evalkit.text.wording import capitalised
from tests.report.make_run import make_run

DOCS = Path(__file__).parents[1] / "docs"


def test_every_computed_metric_has_words_and_names_are_told_apart() -> None:
    names = [each.name for each in words.METRICS]
    assert {each.name for each in (*JUDGED, NOISE, *UNJUDGED)} <= set(names)
    for field in ("name", "title", "head"):
        listed = [getattr(each, field) for each in words.METRICS]
        assert len(set(listed)) == len(listed), field


def test_the_documented_metrics_are_the_vocabulary_in_its_order() -> None:
    """To mend it: copy the expected lines into docs/results.md."""
    table = (DOCS / "results.md").read_text("utf-8").split("| metric | what it is |\n|---|---|\n")[1].split("\n\n")[0]
    assert table.splitlines() == [f"| `{each.name}` | {each.sentence} |" for each in words.METRICS]


def test_what_the_figures_mean_names_every_metric_and_heads_its_sections_by_their_titles() -> None:
    text = (DOCS / "statistics.md").read_text("utf-8")
    assert not [each.name for each in words.METRICS if f"`{each.name}`" not in text]
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    for name in (words.CONTROLLED, words.STYLE_CONTROLLED):
        assert capitalised(words.metric(name).title) in headings


def test_a_new_metric_is_one_entry_and_its_computation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Results, page, terminal, Markdown and leaderboard take it up without another edit."""
    new = words.MetricWords(
        name="shutout_rate",
        title="pairs won in both orders",
        head="Shutouts",
        sentence="share of pairs whose every verdict is for the candidate",
        board=True,
    )
    computed = Metric(name=new.name, values=lambda _, judged: np.where(judged.score == 1, 1.0, 0.0))
    monkeypatch.setattr(words, "METRICS", (*words.METRICS, new))
    monkeypatch.setattr(analysis, "JUDGED", (*JUDGED, computed))
    run = make_run(["de", "th"], prompts=40)
    (row,) = [
        row
        for row in run.results.to_json()["estimates"]
        if (row["metric"], row["language"], row["judge"]) == (new.name, "macro", "panel")
    ]
    shown = f"{100 * row['value']:.1f}%"
    screen = io.StringIO()
    for part in render_terminal(run.results):
        Console(file=screen, width=120).print(part)
    for text in (render_markdown(run.results), screen.getvalue()):
        assert re.search(rf"{new.title}[ |]+{re.escape(shown)}", text)
    page = render_page(run)
    assert f'data-figure="panel macro {new.name}">{shown}</data>' in page
    assert new.sentence in page
    board = build([Entry(name="one", results=run.results)], StatisticsSettings(n_resamples=50), judge="panel")
    assert f" {new.head} |" in markdown(board)
    assert shown in markdown(board)
    assert new.name in board_csv(board)
    assert new.name in document(board)
    leaderboard = render_leaderboard(board)
    assert f'title="{new.sentence}">{new.head}</th>' in leaderboard
    assert f'">{shown}</td>' in leaderboard


def test_what_candidates_are_compared_by_is_the_choice_of_the_command_line() -> None:
    import argparse

    commands = argparse.ArgumentParser().add_subparsers()
    add_parser(commands, "gate")
    metric = next(action for action in commands.choices["check"]._actions if action.dest == "metric")
    assert metric.choices == [each.name for each in words.compared()] == [words.WIN_RATE, words.CONTROLLED]


def test_a_rate_that_a_judge_adds_is_called_by_its_name() -> None:
    assert words.metric("harmful_rate").title == "harmful rate"
