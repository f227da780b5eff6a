"""The gate for readers and for CI: a sentence, Markdown for a job summary, JUnit XML, JSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any
from xml.etree import ElementTree as ET

from evalkit.boards.gate import Decision, Gate, Test
from evalkit.records import json_ready
from evalkit.report.view import language_name
from evalkit.text.markdown import escape
from evalkit.text.markdown import markdown as table_markdown
from evalkit.text.safe import xml
from evalkit.text.table import Cell, Table, cells
from evalkit.text.wording import interval, percent, signed
from evalkit.words import metric

MARKS = {Decision.PASS: "✅ pass", Decision.FAIL: "❌ fail", Decision.UNCLEAR: "❔ cannot tell"}
_HEADS = {Decision.PASS: "Pass", Decision.FAIL: "Fail", Decision.UNCLEAR: "Cannot tell"}
_NAMED = 3
"""Tests named in the sentence."""


def sentence(gate: Gate) -> str:
    """Return the answer in words."""
    decisive = [test for test in gate.tests if test.answer is gate.answer] or list(gate.tests)
    more = f" (and {len(decisive) - _NAMED} more)" if len(decisive) > _NAMED else ""
    return f"{_HEADS[gate.answer]}: {'; '.join(reason(test, gate) for test in decisive[:_NAMED])}{more}."


def reason(test: Test, gate: Gate) -> str:
    """Return one test in words."""
    place = language_name(test.language)
    write = _writer(test)
    level = f"{100 * gate.confidence_level:g}% interval {interval(test.low, test.high, write)}"
    if test.question == "regression":
        return f"{place}: {write(test.value)} points against {gate.against} ({level}), allowed {write(test.bound)}"
    return f"{place}: {metric(gate.metric).title} {write(test.value)} ({level}), wanted {write(test.bound)}"


def gate_table(gate: Gate) -> Table:
    """Return one row a test: its answer, figure, interval and bound."""
    return Table(
        name="gate",
        title=sentence(gate),
        columns=("", "language", "figure", "interval", "bound", "pairs"),
        rows=cells([_tested(test, _writer(test)) for test in gate.tests]),
        left=frozenset({0, 1}),
    )


def _writer(test: Test) -> Callable[[float], str]:
    return signed if test.question == "regression" else percent


def _tested(test: Test, write: Callable[[float], str]) -> tuple[Cell, ...]:
    return (
        Cell(text=MARKS[test.answer]),
        Cell(text=language_name(test.language)),
        Cell(text=write(test.value), value=test.value),
        Cell(text=interval(test.low, test.high, write), ends=(test.low, test.high)),
        Cell(text=write(test.bound), value=test.bound),
        Cell(text=f"{test.n:,}", value=test.n),
    )


def markdown(gate: Gate, *, titled: bool = True) -> str:
    """Return the gate as GitHub-flavoured Markdown; untitled, only its table and notes."""
    against = f" against {escape(gate.against)}" if gate.against else ""
    head = f"## {MARKS[gate.answer]}: {escape(gate.candidate)}{against}\n\n{escape(sentence(gate))}\n\n"
    lines = [table_markdown(gate_table(gate), titled=False), "", *(f"- {escape(note)}" for note in gate.notes)]
    return (head if titled else "") + "\n".join(lines).rstrip() + "\n"


def junit(gate: Gate) -> str:
    """Return JUnit XML: a test case a language; what cannot be told is skipped, with its reason."""
    suite = ET.Element(
        "testsuite",
        name=xml(f"evalkit check {gate.candidate}"),
        tests=str(len(gate.tests)),
        failures=str(sum(test.answer is Decision.FAIL for test in gate.tests)),
        skipped=str(sum(test.answer is Decision.UNCLEAR for test in gate.tests)),
        errors="0",
    )
    for test in gate.tests:
        case = ET.SubElement(
            suite, "testcase", classname=xml(f"{gate.candidate}.{test.question}"), name=xml(test.language)
        )
        if test.answer is not Decision.PASS:
            kind = "failure" if test.answer is Decision.FAIL else "skipped"
            ET.SubElement(case, kind, message=xml(reason(test, gate)))
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def document(gate: Gate) -> dict[str, Any]:
    """Return the gate as JSON: `answer`, `exit_code`, `tests`."""
    words = {"exit_code": gate.answer.exit_code, "sentence": sentence(gate)}
    written: dict[str, Any] = json_ready({**asdict(gate), **words})
    return written
