"""The leaderboard as one HTML file in the report's look: `render_leaderboard`.

One row a candidate with its rank as an interval; any language and metric by choice; a heat map; downloads made in the
browser. Without JavaScript the table of the overall figures, the heat map and the notes are there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from evalkit.records import MACRO
from evalkit.report.forest import Axis
from evalkit.report.frame import application, asset, environment, policy
from evalkit.report.text import script_json
from evalkit.report.view import CONTROLLED, WIN_RATE, language_name

SCRIPTS = ("dom", "theme", "tables", "save", "leaderboard")
METRICS = {CONTROLLED: "length-controlled win rate", WIN_RATE: "win rate"}
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")


def render_leaderboard(board: Mapping[str, Any]) -> str:
    """Return the page of a board.

    Args:
        board: `suite`, `languages`, `baseline`, `judge`, `rows` (`candidate`, `link`, `estimates` by language and
            metric, `rank_low`, `rank_high`, `rating`) and `notes`; plain JSON values.
    """
    script = application(*SCRIPTS)
    languages = sorted(board["languages"], key=language_name)
    overall = MACRO if len(languages) != 1 else languages[0]
    metrics = {name: words for name, words in METRICS.items() if _has(board, name)}
    metric = next((name for name in metrics if _has(board, name, overall)), WIN_RATE)
    return (
        environment()
        .get_template("leaderboard.html.j2")
        .render(
            policy=policy(script),
            style=Markup(asset("style.css")),  # noqa: S704  our own file
            script=Markup(script),  # noqa: S704  our own files
            board=board,
            rows=[_row(row, overall, metric) for row in board["rows"]],
            languages=languages,
            overall=overall,
            metrics=metrics or {WIN_RATE: METRICS[WIN_RATE]},
            metric=metric,
            axis=board_axis(board),
            cell=cell,
            meta=script_json({**board, "names": {tag: _name(tag) for tag in (*languages, overall)}}),
        )
    )


def _name(tag: str) -> str:
    return language_name(tag) if tag != MACRO else "mean of languages"


def _has(board: Mapping[str, Any], metric: str, language: str | None = None) -> bool:
    """Whether some row has the metric (in that language)."""
    return any(
        metric in metrics
        for row in board["rows"]
        for tag, metrics in row["estimates"].items()
        if language in {None, tag}
    )


def _row(row: Mapping[str, Any], overall: str, metric: str) -> dict[str, Any]:
    low, high = row.get("rank_low"), row.get("rank_high")
    rank = "–" if low is None or high is None else f"{low}" if low == high else f"{low} to {high}"
    link = str(row.get("link") or "")
    return {
        **row,
        "ranks": rank,
        # An address with a scheme could run script or leave the site.
        "link": link if link and not _SCHEME.match(link) and not link.startswith("//") else None,
        "shown": cell(row, overall, metric),
        "pass_rate": cell(row, overall, "language_pass_rate"),
        "bias": cell(row, overall, "position_bias"),
    }


def cell(row: Mapping[str, Any], language: str, metric: str) -> dict[str, float]:
    """Return value, low and high of a figure, NaN where it is absent."""
    found = row["estimates"].get(language, {}).get(metric) or {}
    return {name: math.nan if found.get(name) is None else float(found[name]) for name in ("value", "low", "high")}


def board_axis(board: Mapping[str, Any]) -> Axis:
    """Return one axis for all languages and metrics, so that it stays when the reader chooses another."""
    values = [
        item["value"]
        for row in board["rows"]
        for metrics in row["estimates"].values()
        for metric, item in metrics.items()
        if metric in METRICS and item["value"] is not None
    ]
    low = math.floor(20 * min(values, default=0.4) - 0.6) / 20
    high = math.ceil(20 * max(values, default=0.6) + 0.6) / 20
    return Axis(low=max(0.0, min(0.45, low)), high=min(1.0, max(0.55, high)))
