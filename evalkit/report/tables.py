"""The report's tables as plain text cells: one definition for the terminal, Markdown, LaTeX and CSV."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from evalkit.records import MICRO
from evalkit.report import wording
from evalkit.report.judges import JudgeRow, OrderRow, judge_rows
from evalkit.report.summary import ADHERENCE
from evalkit.report.view import CONTROLLED, WIN_RATE, Figure, LanguageRow, View, language_name
from evalkit.results import Results, TextProfile

_BEFORE_VERDICT = ("Language", "n", "Win", "Tie", "Loss", "Raw", "LC", "Interval")
LANGUAGE_COLUMNS = (*_BEFORE_VERDICT, "Verdict", "Reversed", "Length", "Wrong language")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A titled table of text; the first column names the row, the others are figures unless `left` says otherwise."""

    name: str
    """Short, for file names."""
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left: frozenset[int] = frozenset({0})
    """Columns aligned left."""
    strong: frozenset[int] = frozenset()
    """Rows that stand for all others."""


def tables(results: Results) -> list[Table]:
    """Return every table that has rows, in the order of the report."""
    view = View(results)
    if not view.judges:
        return [table for table in (adherence(view), profile(view)) if table.rows]
    made = (languages(view), otherwise(view), judges(view), orders(view), agreement(view), slices(view), profile(view))
    return [table for table in made if table.rows]


def languages(view: View) -> Table:
    """One row a language, best first, under their mean."""
    rows = [view.total_row] if len(view.languages) > 1 else []
    rows += view.language_rows
    return Table(
        name="languages",
        title="Languages",
        columns=LANGUAGE_COLUMNS,
        rows=tuple(_language(row) for row in rows),
        left=frozenset({0, len(_BEFORE_VERDICT)}),
        strong=frozenset({0}) if len(view.languages) > 1 else frozenset(),
    )


def _language(row: LanguageRow) -> tuple[str, ...]:
    shown = row.controlled if row.controlled.defined else row.raw
    return (
        row.name,
        wording.count(row.n),
        *(wording.count(value) for value in (row.win, row.tie, row.loss)),
        wording.points(row.raw.value),
        wording.points(row.controlled.value),
        wording.interval(shown.low, shown.high),
        f"{wording.CLAIM_MARKS[row.claim]} {row.verdict}",
        wording.percent(row.flips.value),
        wording.ratio(row.length.value),
        wording.UNDEFINED if row.wrong is None else wording.count(row.wrong),
    )


def adherence(view: View) -> Table:
    """How often answers keep to the language asked for: what there is to show where no judge was asked.

    Lines and words are the Language Confusion Benchmark's levels, candidate / baseline.
    """
    rows = [view.total_row] if len(view.languages) > 1 else []
    rows += sorted(view.language_rows, key=lambda row: row.name)
    return Table(
        name="adherence",
        title="Answers in the language asked for",
        columns=("Language", "n", view.candidate, "Interval", view.baseline, "Interval", "Lines", "Words", "Length"),
        rows=tuple(_adherence(view, row) for row in rows),
        strong=frozenset({0}) if len(view.languages) > 1 else frozenset(),
    )


def _adherence(view: View, row: LanguageRow) -> tuple[str, ...]:
    ours, theirs = (view.figure(f"{side}{ADHERENCE}", row.language) for side in ("", "baseline_"))
    rates = [text for f in (ours, theirs) for text in (wording.percent(f.value), wording.interval(f.low, f.high))]
    levels = []
    for level in ("line_pass_rate", "word_pass_rate"):
        both = [view.figure(f"{side}{level}", row.language).value for side in ("", "baseline_")]
        levels.append(" / ".join(map(wording.percent, both)))
    return (row.name, wording.count(ours.n), *rates, *levels, wording.ratio(row.length.value))


OTHERWISE = (
    ("style_controlled_win_rate", "win rate at equal style", "percent"),
    ("net_win_rate", "wins less losses", "percent"),
    ("graded_win_rate", "win rate with slight and clear preferences", "percent"),
    ("language_faithful_win_rate", "win rate where the wrong language loses", "percent"),
    ("missing_low", "win rate if missing verdicts were losses", "percent"),
    ("missing_high", "win rate if missing verdicts were wins", "percent"),
    ("worst_language_win_rate", "worst language", "percent"),
    ("best_language_win_rate", "best language", "percent"),
    ("language_gap", "gap between them", "percent"),
    ("language_spread", "spread between languages, chance taken out", "percent"),
    ("language_correlation", "how much translations of a prompt move together", "decimal"),
)
"""Metric, what it is called, how it is written."""


def otherwise_figures(view: View) -> list[tuple[str, Figure, str]]:
    """Return what else can be said of the whole: words, figure, way of writing; what is undefined is left out."""
    found = [(words, view.first_defined(metric), style) for metric, words, style in OTHERWISE]
    scored = view.counts(view.overall)
    return [
        (words, figure, style)
        for words, figure, style in found
        if figure.defined and (scored.missing or not figure.metric.startswith("missing_"))
    ]


def otherwise(view: View) -> Table:
    """The same comparison counted otherwise, and how far languages differ."""
    return Table(
        name="otherwise",
        title="Counted otherwise",
        columns=("Figure", "Value", "Interval", "How"),
        rows=tuple(
            (words, getattr(wording, style)(figure.value), wording.interval(figure.low, figure.high), figure.method)
            for words, figure, style in otherwise_figures(view)
        ),
        left=frozenset({0, 3}),
    )


def judges(view: View) -> Table:
    """One row a judge: its win rates, its leaning to the first answer, its consistency, also when asked again."""
    rows = judge_rows(view)
    asked_again = not all(row.asked_once for row in rows)
    columns = ("Judge", "Raw", "LC", "First answer preferred", "Reversed", "Consistent", "No verdict")
    return Table(
        name="judges",
        title="Judges",
        columns=(*columns, "Same again") if asked_again else columns,
        rows=tuple((*_judge(row), wording.percent(row.repeat)) if asked_again else _judge(row) for row in rows),
    )


def _judge(row: JudgeRow) -> tuple[str, ...]:
    return (
        row.name,
        wording.percent(row.win_rate.value),
        wording.percent(row.length_controlled_win_rate.value),
        wording.percent(0.5 + row.position_bias.value),
        wording.percent(row.flip_rate.value),
        wording.percent(row.order_consistency.value),
        wording.count(row.missing),
    )


def orders(view: View) -> Table:
    """One row a judge and language: how often the candidate wins, ties or loses shown first and second."""
    outcomes = [(first, second) for first in "WTL" for second in "WTL"]
    return Table(
        name="orders",
        title="Both orders: win, tie, loss when shown first, then second",
        columns=("Judge", "Language", *(first + second for first, second in outcomes)),
        rows=tuple(
            (judge.name, row.name, *(wording.count(number) for line in row.counts for number in line))
            for judge in judge_rows(view)
            for row in _orders(judge)
        ),
        left=frozenset({0, 1}),
    )


def _orders(judge: JudgeRow) -> list[OrderRow]:
    return [*([judge.orders] if judge.orders else []), *judge.by_language]


def agreement(view: View) -> Table:
    """One row a pair of judges and language."""
    return Table(
        name="agreement",
        title="Agreement between judges",
        columns=("Judges", "Language", "n", "Same verdict", "κ", "κ low", "κ high"),
        rows=tuple(
            (
                f"{row.judge_a}, {row.judge_b}",
                language_name(row.language),
                wording.count(row.n),
                wording.percent(row.raw),
                *map(wording.decimal, (row.kappa, row.kappa_low, row.kappa_high)),
            )
            for row in view.agreement
        ),
        left=frozenset({0, 1}),
    )


def slices(view: View) -> Table:
    """One row a slice: its win rates over all languages."""
    return Table(
        name="slices",
        title="Slices",
        columns=("Slice", "n", "Raw", "LC", "Interval"),
        rows=tuple(_slice(view, part) for part in view.slices),
    )


def _slice(view: View, part: str) -> tuple[str, ...]:
    raw, controlled = slice_figures(view, part)
    shown = controlled if controlled.defined else raw
    return (
        part.replace("=", ": ", 1),
        wording.count(raw.n),
        wording.points(raw.value),
        wording.points(controlled.value),
        wording.interval(shown.low, shown.high),
    )


def slice_figures(view: View, part: str) -> tuple[Figure, Figure]:
    """Return the raw and the length-controlled figure of a slice, over all languages where the file has that."""
    places = (view.overall, MICRO, *view.languages)
    where = next((place for place in places if view.figure(WIN_RATE, place, part=part).defined), view.overall)
    return view.figure(WIN_RATE, where, part=part), view.figure(CONTROLLED, where, part=part)


PROFILE = {
    "characters": ("Characters", ",.0f"),
    "words": ("Words", ",.0f"),
    "sentence_words": ("Words a sentence", ".1f"),
    "diversity": ("Lexical diversity", ".0f"),
    "repetition": ("Repeated", ".1%"),
    "headings": ("Headings ‰", ".1f"),
    "lists": ("Lists ‰", ".1f"),
    "bold": ("Bold ‰", ".1f"),
}
"""Measure of texts → its column, and how it is written; a plug-in's stands under its own name."""


def profile(view: View) -> Table:
    """One row a language: what the answers are like as texts, candidate / baseline."""
    cells = {(row.language, row.measure, row.side): row for row in view.results.profile or ()}
    measures = list(dict.fromkeys(measure for _, measure, _ in cells))
    return Table(
        name="profile",
        title="Text profile: candidate / baseline, * where the interval of their difference leaves out 0",
        columns=("Language", *(PROFILE.get(measure, (measure, ""))[0] for measure in measures)),
        rows=tuple(
            (language_name(tag), *(_profile(cells, tag, measure) for measure in measures))
            for tag in dict.fromkeys(tag for tag, _, _ in cells)
        ),
    )


def _profile(cells: Mapping[tuple[str, str, str], TextProfile], language: str, measure: str) -> str:
    ours, theirs = (cells[language, measure, side] for side in ("candidate", "baseline"))
    style = PROFILE.get(measure, ("", ".2f"))[1]
    means = " / ".join(wording.UNDEFINED if math.isnan(row.mean) else format(row.mean, style) for row in (ours, theirs))
    differ = not math.isnan(ours.low) and not ours.low <= 0 <= ours.high
    return f"{means} *" if differ else means
