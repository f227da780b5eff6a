"""Verdicts as plain functions of what the judge was shown.

A verdict function takes the material (the JSON between the marker lines: request, answer_A, answer_B) and returns
A, B, TIE, a level such as `A>>B`, the probability of A as a float, or a mapping for full control of a JSON reply.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

Verdict = Callable[[Mapping[str, Any]], Any]

_MARKED = re.compile(r"^<<<MATERIAL (?P<nonce>\S+)\n(?P<body>.*?)\n(?P=nonce) MATERIAL>>>", re.DOTALL | re.MULTILINE)


def material(text: str) -> dict[str, Any] | None:
    """Return the JSON between the marker lines of a judge prompt, or None where it is not a judge prompt."""
    found = _MARKED.search(text)
    if not found:
        return None
    loaded = json.loads(found["body"])
    return loaded if isinstance(loaded, dict) else None


def answers(shown: Mapping[str, Any]) -> tuple[str, str]:
    """Return the two answers as shown."""
    first = shown.get("answer_A", shown.get("first_answer", shown.get("answer", "")))
    second = shown.get("answer_B", shown.get("second_answer", ""))
    return _text(first), _text(second)


def longer_wins(shown: Mapping[str, Any]) -> str:
    """A tie where both are equally long."""
    first, second = answers(shown)
    return "TIE" if len(first) == len(second) else "A" if len(first) > len(second) else "B"


def shorter_wins(shown: Mapping[str, Any]) -> str:
    return {"A": "B", "B": "A", "TIE": "TIE"}[longer_wins(shown)]


def first_wins(shown: Mapping[str, Any]) -> str:
    """A judge with nothing but position bias."""
    return "A"


def by_hash(shown: Mapping[str, Any]) -> str:
    """The answer with the higher hash wins, whatever the order; equal answers tie."""
    first, second = (hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest() for text in answers(shown))
    return "TIE" if first == second else "A" if first > second else "B"


def named(spec: str) -> Verdict:
    """Return a verdict function by name: longer, shorter, first, hash, a constant (A, B, TIE), or module:function."""
    known: dict[str, Verdict] = {
        "longer": longer_wins,
        "shorter": shorter_wins,
        "first": first_wins,
        "hash": by_hash,
    }
    if spec in known:
        return known[spec]
    if ":" in spec:
        module, _, name = spec.partition(":")
        found: Verdict = getattr(importlib.import_module(module), name)
        return found
    return lambda _: spec


def probability_of_a(verdict: Any) -> float:
    """Return a verdict as the probability of A, never quite certain."""
    if isinstance(verdict, float):
        return min(max(verdict, 1e-6), 1 - 1e-6)
    table = {"A": 0.9, "B": 0.1, "TIE": 0.5, "A>>B": 0.97, "A>B": 0.8, "A=B": 0.5, "B>A": 0.2, "B>>A": 0.03}
    return table[str(verdict)]


def as_level(verdict: Any) -> str:
    """Return a verdict as one of five levels."""
    if isinstance(verdict, float):
        return "A>B" if verdict > 0.5 else "B>A" if verdict < 0.5 else "A=B"
    return {"A": "A>B", "B": "B>A", "TIE": "A=B"}.get(str(verdict), str(verdict))


def as_choice(verdict: Any) -> str:
    """Return a verdict as A, B or TIE."""
    level = as_level(verdict)
    return "TIE" if level == "A=B" else "A" if level in {"A>B", "A>>B"} else "B"


def fill_schema(schema: Mapping[str, Any], verdict: Any) -> Any:
    """Return a value that follows `schema`, with the verdict where the schema asks for it."""
    if isinstance(verdict, Mapping):
        return dict(verdict)
    if "enum" in schema:
        choices = list(schema["enum"])
        choice = as_choice(verdict)
        for form in (choice, as_level(verdict), choice.lower(), choice.title(), f"Assistant {choice}"):
            if form in choices:
                return form
        return choices[0]
    kind = schema.get("type", "object" if "properties" in schema else "string")
    if kind == "object":
        return {name: fill_schema(part, verdict) for name, part in schema.get("properties", {}).items()}
    if kind in {"integer", "number"}:
        return schema.get("maximum", 7) if as_choice(verdict) == "A" else schema.get("minimum", 3)
    return {"boolean": True, "array": []}.get(kind, "The better answer keeps to what was asked.")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
