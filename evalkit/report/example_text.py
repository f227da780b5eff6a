"""One example in full on a terminal: prompt, both answers, and every verdict in both orders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from evalkit.records import Order, RunRecords
from evalkit.report.examples import Example
from evalkit.report.view import language_name
from evalkit.text import wording
from evalkit.text.safe import printable

_SHOWN_AS = {Order.FORWARD: ("candidate", "baseline"), Order.SWAPPED: ("baseline", "candidate")}


def render_example(run: RunRecords, example: Example) -> list[RenderableType]:
    """Return the example as renderables, to print one after another."""
    text = example.text
    flags = [
        word
        for word, present in (
            ("reversed by the order", example.flipped),
            ("candidate in another language", example.wrong),
            ("baseline in another language", example.baseline_wrong),
        )
        if present
    ]
    title = " · ".join([example.id, language_name(example.language), f"{example.outcome} for {run.candidate}", *flags])
    answers = [
        Panel(_block(text[side]), title=_plain(name), title_align="left")
        for side, name in (("candidate", run.candidate), ("baseline", run.baseline))
    ]
    parts: list[RenderableType] = [
        Text(printable(title), style="bold"),
        Panel(_block(text["prompt"]), title="prompt", title_align="left"),
        *([Panel(_block([text["reference"]]), title="gold answer", title_align="left")] if "reference" in text else []),
        *answers,
        _verdicts(run, text["verdicts"]),
    ]
    return parts + [Text(printable(f"failed: {_failure(failure)}")) for failure in text.get("failures", ())]


def _block(turns: list[str] | None) -> Text:
    return Text("no answer", style="dim") if turns is None else _plain("\n\n".join(turns))


def _plain(text: str) -> Text:
    """Text as it is, but for characters that a terminal would obey."""
    return Text("\n".join(printable(line.expandtabs(4)) for line in text.split("\n")))


def _verdicts(run: RunRecords, verdicts: list[Mapping[str, Any]]) -> Table:
    names = {"candidate": run.candidate, "baseline": run.baseline}
    table = Table(title="Verdicts in both orders", title_justify="left", show_lines=True)
    for column in ("Judge", "Candidate shown first", "Baseline shown first"):
        table.add_column(column, overflow="fold")
    for judge in dict.fromkeys(verdict["judge"] for verdict in verdicts):
        cells = [
            Text("\n\n").join(
                [
                    _verdict(verdict, order, names)
                    for verdict in verdicts
                    if (verdict["judge"], verdict["order"]) == (judge, order)
                ]
            )
            or Text("no verdict", style="dim")
            for order in Order
        ]
        table.add_row(_plain(judge), *cells)
    return table


def _verdict(verdict: Mapping[str, Any], order: Order, names: Mapping[str, str]) -> Text:
    shown = dict(zip("AB", (names[side] for side in _SHOWN_AS[order]), strict=True))
    choice = verdict["choice"]
    said = f"{choice}, {shown[choice]}" if choice in shown else "tie"
    lines = [f"{said}; score of the candidate {wording.decimal(verdict['score'])}", verdict.get("reason", "")]
    lines += [f"{name}: {value}" for name, value in verdict.get("notes", {}).items()]
    return _plain("\n".join(filter(None, lines)))


def _failure(failure: Mapping[str, Any]) -> str:
    keys = ("stage", "kind", "model", "order", "message")
    return " · ".join(str(failure[key]) for key in keys if failure.get(key))
