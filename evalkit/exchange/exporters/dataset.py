"""dataset: a folder that `datasets.load_dataset` reads, ready for the Hub: Parquet files and a card.

Configs: `pairs` (a row a pair and judge, both answers and the score), `verdicts`, `estimates`.
"""

from __future__ import annotations

import math
from typing import Any

import yaml

from evalkit.exchange.exporters import Export, ExportOptions
from evalkit.exchange.exporters._pairs import Pair, pairs, parquet
from evalkit.exchange.exporters._tidy import table_rows
from evalkit.records import Outcome
from evalkit.results import RunData
from evalkit.text.markdown import markdown
from evalkit.text.table import Table, cells
from evalkit.text.wording import interval, points
from evalkit.words import WIN_RATE, metric

SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def write(run: RunData, options: ExportOptions) -> Export:
    """Return the card and one Parquet file a config."""
    rows = [_row(run, pair, outcome) for pair in pairs(run, judge=options.judge) for outcome in pair.outcomes]
    tables = {"pairs": rows, "verdicts": table_rows(run, "verdicts"), "estimates": table_rows(run, "estimates")}
    files = {f"data/{name}.parquet": parquet(table) for name, table in tables.items() if table}
    card = _card(run, [name for name, table in tables.items() if table], len(rows))
    return Export(files={"README.md": card.encode(), **files}, notes=(f"{len(rows):,} pairs",))


def _row(run: RunData, pair: Pair, outcome: Outcome) -> dict[str, Any]:
    return {
        "id": pair.prompt.id,
        "language": pair.prompt.language,
        "prompt": [{"role": message.role, "content": message.content} for message in pair.prompt.messages],
        "candidate": run.candidate,
        "baseline": run.baseline,
        "candidate_answer": pair.candidate.text if pair.candidate else None,
        "baseline_answer": pair.baseline.text if pair.baseline else None,
        "judge": outcome.judge,
        "score": outcome.score,
        "score_shown_first": outcome.forward,
        "score_shown_second": outcome.swapped,
    }


def _card(run: RunData, configs: list[str], rows: int) -> str:
    suite = run.results.suite
    licence = suite.licence
    front = {
        "language": [tag.partition("-")[0] for tag in suite.languages],
        "license": licence.lower() if licence in {"Apache-2.0", "MIT", "CC-BY-4.0"} else "other",
        "pretty_name": f"{suite.title}: {run.candidate} against {run.baseline}",
        "size_categories": [next((name for bound, name in SIZES if rows < bound), "n>1M")],
        "tags": ["evaluation", "llm-as-a-judge", "win-rate"],
        "configs": [
            {"config_name": name, "data_files": f"data/{name}.parquet"} | ({"default": True} if name == "pairs" else {})
            for name in configs
        ],
    }
    return "\n".join(
        [
            "---",
            yaml.safe_dump(front, allow_unicode=True, sort_keys=False).strip(),
            "---",
            "",
            f"# {front['pretty_name']}",
            "",
            suite.description,
            "",
            f"Judged by {', '.join(judge.name for judge in run.results.judges)}. `score` is the candidate's:",
            "1 = it won in both orders, 0 = it lost in both, missing where a verdict is. Prompts and answers keep",
            f"the licence of their sources{f' ({licence})' if licence else ''}.",
            "",
            markdown(_results(run), titled=False),
            "",
        ]
    )


def _results(run: RunData) -> Table:
    rows = [row for row in run.results.estimates if row.metric == WIN_RATE and row.slice is None]
    return Table(
        name="results",
        title="Results",
        columns=("language", "judge", metric(WIN_RATE).title, "interval", "pairs"),
        rows=cells(
            [
                (row.language, row.judge, points(row.value), interval(row.low, row.high), f"{row.n:,}")
                for row in rows
                if not math.isnan(row.value)
            ]
        ),
        left=frozenset({0, 1}),
    )
