"""results.json is read in one place, which names everything that is wrong, and is written as it was read."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalkit.errors import RunError
from evalkit.results import RESULTS_SCHEMA, Results
from evalkit.run import read_results, results_text

SAMPLE = Path(__file__).resolve().parent.parent / "reports" / "sample"


@pytest.fixture
def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SAMPLE / "results.json").read_text("utf-8"))
    return found


def test_what_is_read_is_written_letter_by_letter() -> None:
    assert results_text(read_results(SAMPLE)) == (SAMPLE / "results.json").read_text("utf-8")


def test_undefined_figures_are_nan_and_null(document: dict[str, Any]) -> None:
    document["estimates"][0]["value"] = None
    results = Results.from_json(document)
    assert math.isnan(results.estimates[0].value)
    assert results.to_json()["estimates"][0]["value"] is None
    assert results.estimates[0].slice is None


def test_everything_that_is_wrong_is_named_with_its_path(document: dict[str, Any]) -> None:
    document["estimates"][3]["value"] = "much"
    document["estimates"][4]["n"] = 1.5
    del document["estimates"][5]["judge"]
    document["orders"][0]["table"][1][2] = None
    document["judges"] = {}
    document["suite"]["prompts"]["de"] = "many"
    document["cost"]["by_model"][0]["requests"] = True
    document["notes"] = ["a note", 7]
    del document["candidate"]
    with pytest.raises(RunError) as caught:
        Results.from_json(document, where="run/results.json")
    assert {str(problem).partition("\n")[0] for problem in caught.value.problems} == {
        "run/results.json: damaged: " + words
        for words in (
            'suite.prompts.de: "many" is not a whole number',
            "candidate: missing",
            "judges: an object is not a list",
            "notes[1]: 7 is not a text",
            'estimates[3].value: "much" is not a number or null',
            "estimates[4].n: 1.5 is not a whole number",
            "estimates[5].judge: missing",
            "orders[0].table[1][2]: null is not a whole number",
            "cost.by_model[0].requests: true is not a whole number",
        )
    }


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "names no schema"),
        ([], "names no schema"),
        ({"schema": "evalkit/results/2"}, "upgrade evalkit"),
        ({"schema": "another/1"}, "this is no evalkit run"),
        ({"schema": RESULTS_SCHEMA}, "damaged: estimates: missing"),
    ],
)
def test_other_files_are_refused(value: object, words: str) -> None:
    with pytest.raises(RunError, match=words):
        Results.from_json(value)


def test_keys_of_a_later_version_are_ignored(document: dict[str, Any]) -> None:
    known = Results.from_json(document).to_json()
    document["discovered"] = [1]
    for row in document["estimates"]:
        row["colour"] = "blue"
    assert Results.from_json(document).to_json() == known


ABSENT: list[Callable[[dict[str, Any]], object]] = [
    lambda document: document.pop("claims"),
    lambda document: document.pop("agreement"),
    lambda document: document.pop("checks"),
    lambda document: document["suite"].pop("citation"),
    lambda document: document["judges"][0].pop("family_warning"),
    lambda document: [row.pop("bootstrap_low") for row in document["estimates"]],
    lambda document: document["provenance"].clear(),
]


@pytest.mark.parametrize("change", ABSENT)
def test_files_of_an_earlier_version_may_lack_keys(
    document: dict[str, Any], change: Callable[[dict[str, Any]], object]
) -> None:
    change(document)
    results = Results.from_json(document)
    assert Results.from_json(results.to_json()).to_json() == results.to_json()
