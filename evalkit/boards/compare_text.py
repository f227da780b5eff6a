"""A paired comparison as Markdown and as JSON."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from evalkit.boards.compare import Paired
from evalkit.boards.words import p_words, signed
from evalkit.records import json_ready
from evalkit.report.markdown import escape
from evalkit.report.view import language_name
from evalkit.report.wording import percent
from evalkit.statistics.paired import Difference

TITLES = {"win_rate": "Win rate", "length_controlled_win_rate": "Win rate at equal length"}
SHOWN = 20
"""Flips named before the rest is only counted."""


def markdown(paired: Paired) -> str:
    """Return the comparison as GitHub-flavoured Markdown."""
    names = (escape(paired.first), escape(paired.second))
    lines = [f"## {names[0]} − {names[1]}", "", escape(paired.sentence), ""]
    for metric, title in TITLES.items():
        rows = told_rows(paired, metric)
        if not rows:
            continue
        lines += [
            f"### {title} against {escape(paired.baseline)}, judged by {escape(paired.judge)}",
            "",
            f"| language | {names[0]} | {names[1]} | difference | interval | p | p (Holm) | pairs |",
            "|:--|--:|--:|--:|--:|--:|--:|--:|",
            *(
                f"| {escape(language_name(row.language))} | {percent(row.first)} | {percent(row.second)} | "
                f"{signed(row.value)} | {signed(row.low)} to {signed(row.high)} | "
                f"{_p(row.p_value)} | {_p(row.p_holm)} | {row.n:,} |"
                for row in rows
            ),
            "",
        ]
    return "\n".join([*lines, *_flips(paired)])


def told_rows(paired: Paired, metric: str) -> list[Difference]:
    """Return the differences of the judge that the sentence is about; none where no language has one."""
    rows = [row for row in paired.differences if row.metric == metric and row.judge == paired.judge]
    return rows if any(math.isfinite(row.value) for row in rows) else []


def document(paired: Paired) -> dict[str, Any]:
    """Return the comparison as JSON."""
    found: dict[str, Any] = json_ready(asdict(paired))
    return found


def _flips(paired: Paired) -> list[str]:
    if not paired.flips:
        return ["No prompt has another winner.", ""]
    count = len(paired.flips)
    lost = sum(flip.first < flip.second for flip in paired.flips)
    title = f"### {count:,} pairs changed hands: {lost:,} lost by {escape(paired.first)}, {count - lost:,} won"
    rows = [
        f"| {escape(flip.language)} | {escape(flip.prompt_id)} | {escape(flip.judge)} | {flip.first:.2f} | "
        f"{flip.second:.2f} | {escape(flip.prompt[:80])} |"
        for flip in paired.flips[:SHOWN]
    ]
    more = [f"… and {count - SHOWN:,} more: `--json` names them all."] if count > SHOWN else []
    head = [
        f"| language | prompt | judge | {escape(paired.first)} | {escape(paired.second)} | text |",
        "|:--|:--|:--|--:|--:|:--|",
    ]
    return [title, "", *head, *rows, "", *more, ""]


def _p(value: float) -> str:
    return p_words(value).removeprefix("p ").removeprefix("= ")
