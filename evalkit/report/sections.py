"""The parts of the page that are more than a lookup: the six numbers, regressions, how it was run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evalkit.records import MICRO
from evalkit.report import wording
from evalkit.report.examples import Example
from evalkit.report.view import CONTROLLED, WIN_RATE, View

REGRESSIONS = 12


def cards(view: View) -> list[dict[str, Any]]:
    """The six numbers under the sentence."""
    spent = view.cost.get("spent")
    requests = sum(int(row.get("requests") or 0) for row in view.cost.get("by_model") or ())
    return [
        {"figure": view.figure(CONTROLLED, view.overall), "label": "length-controlled win rate", "bounds": True},
        {"figure": view.figure(WIN_RATE, view.overall), "label": "win rate", "bounds": True},
        _standing(view),
        {"figure": view.first_defined("flip_rate"), "label": "pairs reversed when the order is swapped"},
        _agreement(view),
        {
            "plain": wording.money(None if spent is None else float(spent)),
            "label": f"cost, {wording.plural(requests, 'request')}" if requests else "cost",
        },
    ]


def _standing(view: View) -> dict[str, str]:
    """Languages better, undecided and worse; of a single language, its pairs."""
    if len(view.languages) > 1:
        claims = [row.claim for row in view.language_rows]
        numbers = [claims.count(claim) for claim in ("better", "unclear", "worse")]
        return {"plain": " / ".join(map(str, numbers)), "label": "languages better / undecided / worse"}
    counts = view.counts(view.overall)
    numbers = [counts[outcome] for outcome in ("win", "tie", "loss")]
    return {"plain": " / ".join(map(wording.count, numbers)), "label": "pairs won / tied / lost"}


def _agreement(view: View) -> dict[str, Any]:
    """How far judges agree on all prompts: κ of two, α of more; of one, how far answers keep to their language."""
    kappas = [row for row in view.agreement if row["language"] == MICRO]
    alphas = [row for row in (view.results.get("agreement") or {}).get("alpha") or () if row["language"] == MICRO]
    if len(kappas) == 1:
        return {"plain": _coefficient(kappas[0].get("kappa")), "label": "κ between the judges"}
    if alphas:
        return {"plain": _coefficient(alphas[0].get("alpha")), "label": "Krippendorff’s α among the judges"}
    return {"figure": view.first_defined("language_pass_rate"), "label": "answers in the language asked for"}


def _coefficient(value: float | None) -> str:
    return wording.UNDEFINED if value is None else wording.decimal(value)


def regressions(examples: list[Example]) -> list[Example]:
    """The clearest losses: every judge prefers the baseline in every order, the surest first."""
    lost = [example for example in examples if example.unanimous_loss]
    return sorted(lost, key=lambda example: (example.score, -abs(example.ratio), example.id))[:REGRESSIONS]


def facts(view: View) -> list[tuple[str, str]]:
    """How it was run, for those who repeat it."""
    origin = view.provenance
    suite = view.suite
    prompts = suite.get("prompts")
    number = sum(int(value) for value in prompts.values()) if isinstance(prompts, Mapping) else prompts
    told = [
        ("Suite", _suite(suite)),
        ("Prompts", f"{number:,} in {len(view.languages)} languages" if isinstance(number, int) else ""),
        ("Digest of the prompts", str(suite.get("digest") or "")),
        *((name, str(suite.get(name.lower()) or "")) for name in ("Licence", "Citation")),
        ("Sampling", ", ".join(f"{key} {value}" for key, value in (suite.get("sampling") or {}).items())),
        *((f"Judge {judge['name']}", _judge_fact(judge)) for judge in view.judges),
        ("Intervals", view.headline_figure.method),
        *((f"Served as {name}", _served(served)) for name, served in sorted((origin.get("models") or {}).items())),
        ("evalkit", " ".join(filter(None, (str(origin.get("evalkit") or ""), _python(origin))))),
        ("Revision", str(origin.get("git") or "")),
        ("Seed", "" if origin.get("seed") is None else str(origin["seed"])),
        ("Started, finished", ", ".join(_moment(origin[key]) for key in ("started", "finished") if origin.get(key))),
        *(("Note", str(note)) for note in view.results.get("notes") or ()),
    ]
    return [(name, value) for name, value in told if value]


def _suite(suite: Mapping[str, Any]) -> str:
    name, title = str(suite.get("name") or ""), str(suite.get("title") or "")
    return f"{title} ({name})" if name and title else title or name


def _moment(text: object) -> str:
    """Write an ISO 8601 time for people: the offset of UTC by its name."""
    return str(text).replace("T", " ").replace("+00:00", " UTC")


def _judge_fact(judge: Mapping[str, Any]) -> str:
    digest = str(judge.get("definition_sha256") or "")
    repeats = int(judge.get("repeats") or 1)
    kept = [str(judge.get("model") or ""), str(judge.get("kind") or ""), f"sha256 {digest}" if digest else ""]
    kept.append(f"asked {repeats} times" if repeats > 1 else "")
    return ", ".join(filter(None, kept))


def _served(served: Sequence[Mapping[str, Any]]) -> str:
    return " / ".join(" ".join(filter(None, (each.get("served"), each.get("fingerprint")))) for each in served)


def _python(origin: Mapping[str, Any]) -> str:
    return f"on Python {origin['python']}" if origin.get("python") else ""
