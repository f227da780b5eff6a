"""A leaderboard as Markdown, CSV and JSON; the page is `report.leaderboard`."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from typing import Any

from evalkit.records import MACRO
from evalkit.report.markdown import escape
from evalkit.report.view import language_name
from evalkit.report.wording import percent

Board = Mapping[str, Any]
COLUMNS = ("candidate", "rank", "rank_low", "rank_high", "rating", "language", "metric", "value", "low", "high", "n")
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def document(board: Board) -> str:
    """Return the board as JSON."""
    return json.dumps(board, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def table(board: Board) -> str:
    """Return the board as CSV: one row a candidate, language and metric."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    for row in board["rows"]:
        head = {name: row[name] for name in ("rank", "rank_low", "rank_high")}
        head |= {"candidate": _safe(row["candidate"]), "rating": (row["rating"] or {}).get("value")}
        for language, metrics in row["estimates"].items():
            for metric, cell in metrics.items():
                writer.writerow({**head, "language": language, "metric": metric, **cell})
    return out.getvalue()


def markdown(board: Board) -> str:
    """Return the board as GitHub-flavoured Markdown: a row a candidate, a column a language."""
    languages = board["languages"]
    title = board["suite"].get("title") or board["suite"]["name"]
    names = [escape(language_name(tag)) for tag in languages]
    lines = [
        f"## {escape(title)}",
        "",
        f"Win rates against {escape(board['baseline'])}, judged by {escape(board['judge'])}.",
        "",
        f"| rank | candidate | rating | mean | interval | equal length | {' | '.join(names)} |",
        f"|--:|:--|--:|--:|--:|--:|{'--:|' * len(names)}",
        *(_line(row, languages) for row in board["rows"]),
        "",
        *(f"- {escape(note)}" for note in board["notes"]),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _line(row: Mapping[str, Any], languages: list[str]) -> str:
    mean = row["estimates"].get(MACRO, {})
    raw = mean.get("win_rate", {})
    ranks = f"{row['rank_low']}–{row['rank_high']}" if row["rank_low"] != row["rank_high"] else f"{row['rank_low']}"
    interval = f"{_percent(raw.get('low'))} to {_percent(raw.get('high'))}" if raw.get("low") is not None else "–"
    rating = f"{row['rating']['value']:.0f}" if row["rating"] else "–"
    name = escape(row["candidate"])
    shown = f"[{name}]({row['link']})" if row["link"] else name
    cells = [_percent(row["estimates"].get(tag, {}).get("win_rate", {}).get("value")) for tag in languages]
    equal = _percent(mean.get("length_controlled_win_rate", {}).get("value"))
    return "| " + " | ".join([ranks, shown, rating, _percent(raw.get("value")), interval, equal, *cells]) + " |"


def _percent(value: float | None) -> str:
    return "–" if value is None else percent(value)


def _safe(text: str) -> str:
    """Keep a spreadsheet from running a name as a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text
