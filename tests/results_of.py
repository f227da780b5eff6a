"""Results for tests that need few of their keys."""

from __future__ import annotations

from typing import Any

from evalkit.results import RESULTS_SCHEMA, Results

_LEAST: dict[str, Any] = {
    "schema": RESULTS_SCHEMA,
    "suite": {"name": "s", "languages": []},
    "candidate": "c",
    "baseline": "b",
    **{key: [] for key in ("judges", "estimates", "counts", "failures")},
    "cost": {},
    "provenance": {},
}


def results_of(**keys: Any) -> Results:
    """Return results with these keys of results.json, and as little as the file allows of the others."""
    return Results.from_json({**_LEAST, **keys})
