"""The gate for readers and for CI: a sentence, Markdown for a job summary, JUnit XML, JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from xml.etree import ElementTree as ET

from evalkit.boards.gate import Decision, Gate, Test
from evalkit.boards.words import CONTROL, signed
from evalkit.records import json_ready
from evalkit.report.markdown import escape
from evalkit.report.view import language_name
from evalkit.report.wording import percent

MARKS = {Decision.PASS: "✅ pass", Decision.FAIL: "❌ fail", Decision.UNCLEAR: "❔ cannot tell"}


def sentence(gate: Gate) -> str:
    """Return the answer in words."""
    head = {Decision.PASS: "Pass", Decision.FAIL: "Fail", Decision.UNCLEAR: "Cannot tell"}[gate.answer]
    decisive = [test for test in gate.tests if test.answer is gate.answer] or list(gate.tests)
    more = f" (and {len(decisive) - 3} more)" if len(decisive) > 3 else ""  # noqa: PLR2004
    return f"{head}: {'; '.join(reason(test, gate) for test in decisive[:3])}{more}."


def reason(test: Test, gate: Gate) -> str:
    """Return one test in words."""
    place = language_name(test.language)
    level = f"{100 * gate.confidence_level:g}% interval"
    if test.question == "regression":
        told = f"{place}: {signed(test.value)} points against {gate.against} ({level} {signed(test.low)} to "
        return told + f"{signed(test.high)}), allowed {signed(test.bound)}"
    told = f"{place}: win rate {percent(test.value)} ({level} {percent(test.low)} to {percent(test.high)})"
    return f"{told}, wanted {percent(test.bound)}"


def markdown(gate: Gate) -> str:
    """Return the gate as GitHub-flavoured Markdown."""
    title = f"## {MARKS[gate.answer]}: {escape(gate.candidate)}" + (
        f" against {escape(gate.against)}" if gate.against else ""
    )
    head = ["| | language | figure | interval | bound | pairs |", "|:--|:--|--:|--:|--:|--:|"]
    lines = [title, "", escape(sentence(gate)), "", *head]
    for test in gate.tests:
        shown = signed if test.question == "regression" else percent
        interval = f"{shown(test.low)} to {shown(test.high)}"
        name = escape(language_name(test.language))
        lines.append(
            f"| {MARKS[test.answer]} | {name} | {shown(test.value)} | {interval} | {shown(test.bound)} | {test.n:,} |"
        )
    return "\n".join([*lines, "", *(f"- {escape(note)}" for note in gate.notes)]).rstrip() + "\n"


def junit(gate: Gate) -> str:
    """Return JUnit XML: a test case a language; what cannot be told is skipped, with its reason."""
    suite = ET.Element(
        "testsuite",
        name=_xml(f"evalkit check {gate.candidate}"),
        tests=str(len(gate.tests)),
        failures=str(sum(test.answer is Decision.FAIL for test in gate.tests)),
        skipped=str(sum(test.answer is Decision.UNCLEAR for test in gate.tests)),
        errors="0",
    )
    for test in gate.tests:
        case = ET.SubElement(
            suite, "testcase", classname=_xml(f"{gate.candidate}.{test.question}"), name=_xml(test.language)
        )
        if test.answer is not Decision.PASS:
            kind = "failure" if test.answer is Decision.FAIL else "skipped"
            ET.SubElement(case, kind, message=_xml(reason(test, gate)))
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def document(gate: Gate) -> dict[str, Any]:
    """Return the gate as JSON: `answer`, `exit_code`, `tests`."""
    found: dict[str, Any] = json_ready({**asdict(gate), "exit_code": gate.answer.exit_code, "sentence": sentence(gate)})
    return found


def _xml(text: str) -> str:
    """Leave out characters that XML cannot hold."""
    return text.translate(CONTROL).encode("utf-8", "replace").decode()
