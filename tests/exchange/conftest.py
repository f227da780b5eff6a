"""A small run in two languages, judged in both orders, as a plain table gives it."""

from __future__ import annotations

import json

import pytest

from evalkit.exchange import importer
from evalkit.exchange.reader import ImportOptions, SourceFile
from evalkit.results import RunData
from evalkit.stages.import_runs import finished

GERMAN = "Das ist eine recht gute und ausführliche Antwort auf die Frage, die gestellt wurde. "
FRENCH = "Voici une réponse assez longue et détaillée à la question qui a été posée ici. "


def table_rows() -> list[dict[str, object]]:
    """12 prompts × 2 languages: the candidate wins id % 3 == 0, loses == 1, is split over the orders == 2."""
    rows: list[dict[str, object]] = []
    for language, sentence in (("de", GERMAN), ("fr", FRENCH)):
        for number in range(12):
            winner = {0: ("candidate", "candidate"), 1: ("baseline", "baseline"), 2: ("candidate", "baseline")}[
                number % 3
            ]
            for order, won in zip(("forward", "swapped"), winner, strict=True):
                row = {"id": str(number), "language": language, "prompt": f"{language} {number}?", "winner": won}
                row |= {"candidate": f"{sentence}{number}", "baseline": f"{sentence}alt {number}", "order": order}
                rows.append(
                    {**row, "judge": "judge", "category": ("chat", "code")[number % 2], "reason": "=1+1 A wins"}
                )
    return rows


@pytest.fixture(scope="session")
def run() -> RunData:
    """The run of `table_rows`, figures and all."""
    content = "".join(json.dumps(row) + "\n" for row in table_rows())
    options = ImportOptions(candidate="new/model", baseline="old", suite="tiny")
    (found,) = importer("table")([SourceFile(name="t.jsonl", data=content.encode())], options)
    return finished(found, command=("evalkit", "import"), now="2026-01-01T00:00:00+00:00")
