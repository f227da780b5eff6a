"""The report as one HTML file that opens from disk without a network: `render_page`.

The page is the template in `assets/` filled with figures of results.json; its script shows the packed examples. Text of
models reaches the page in three ways only: escaped by the template, packed (and shown by `textContent`), or boxed by
`text.visible`. The content security policy admits the page's own script and the charting library, by hash, and nothing
else.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from evalkit.errors import InputError, Problem
from evalkit.records import MICRO, RunData
from evalkit.report import forest, wording
from evalkit.report.archive import Archive, build_archive, pack_bytes, smallest_index
from evalkit.report.cautions import cautions
from evalkit.report.charts import charts
from evalkit.report.examples import Example, collect, slice_values
from evalkit.report.frame import application, asset, environment, policy
from evalkit.report.sharing import shareable
from evalkit.report.summary import summarize
from evalkit.report.tables import otherwise_figures, slice_figures
from evalkit.report.text import script_json
from evalkit.report.view import CONTROLLED, WIN_RATE, View, known

SCRIPTS = (
    "dom", "theme", "tables", "text", "markdown", "archive", "difference", "filters", "list", "detail", "save",
    "download", "charts", "main",
)  # fmt: skip
"""The page's script, in the order its parts stand in one scope."""
REGRESSIONS = 12
_SHARD_TAG = 100
"""Bytes of markup around a language's texts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A rendered report, and what it holds."""

    html: str
    examples: int
    """Examples in its index."""
    carried: int
    """Examples whose texts are in it."""


def render_page(
    run: RunData,
    *,
    max_bytes: int = 5_000_000,
    share: bool = False,
    redact: Collection[str] = (),
    language: str | None = None,
) -> str:
    """Return the report of a run as one HTML document: `build_page` without the account of what it holds."""
    return build_page(run, max_bytes=max_bytes, share=share, redact=redact, language=language).html


def build_page(
    run: RunData,
    *,
    max_bytes: int = 5_000_000,
    share: bool = False,
    redact: Collection[str] = (),
    language: str | None = None,
    pages: Mapping[str, str] | None = None,
) -> Page:
    """Return the report of a run, the same bytes for the same run.

    Args:
        run: the run.
        max_bytes: size the document must not exceed; texts that do not fit are left out, and the page says so.
        share: leave out paths, addresses, host and user names, and ask search engines to stay away.
        redact: what to take out of the examples: prompts, answers, rationales.
        language: only this language's examples (for one page a language).
        pages: language → file name of its own page, to link to.

    Raises:
        InputError: not even the index of the examples fits in `max_bytes`.
    """
    if share:
        run = shareable(run)
    examples = collect(run, redact=redact, language=language)
    view = View(run.results)
    frame = _context(run, view, examples, language=language, share=share, pages=pages or {}, redact=redact)
    empty = Archive(index="", shards={}, examples=len(examples), carried=0)
    spent = len(_render(frame, empty).encode()) + _SHARD_TAG * len(view.languages)
    archive = build_archive(examples, languages=view.languages, budget=max_bytes - spent)
    if archive is None:
        least = spent + smallest_index(examples, view.languages)
        message = (
            f"{max_bytes:,} bytes are too few: the tables and the index of {len(examples):,} examples take {least:,}"
        )
        hint = f"give at least {least:,}, or write one page a language with --pages language"
        raise InputError(Problem(where="--max-bytes", message=message, hint=hint))
    return Page(html=_render(frame, archive), examples=archive.examples, carried=archive.carried)


def _render(frame: Mapping[str, Any], archive: Archive) -> str:
    return environment().get_template("page.html.j2").render(**frame, archive=archive)


def _context(
    run: RunData,
    view: View,
    examples: list[Example],
    *,
    language: str | None,
    share: bool,
    pages: Mapping[str, str],
    redact: Collection[str],
) -> dict[str, Any]:
    """Everything the template needs but the packed examples."""
    rows = view.language_rows
    total = [view.total_row] if len(view.languages) > 1 else []
    library, script = asset("vendor/plotly-basic.min.js"), application(*SCRIPTS)
    drawn = charts(view)
    return {
        "policy": policy(library, script),
        "style": Markup(asset("style.css")),  # noqa: S704  our own file
        "script": Markup(script),  # noqa: S704  our own files
        "library": pack_bytes(library.encode()),
        "view": view,
        "suite": view.suite,
        "summary": summarize(run.results),
        "cautions": cautions(run.results),
        "cards": _cards(view),
        "rows": [*total, *rows],
        "axis": forest.axis_of([*total, *rows]),
        "charts": drawn,
        "figures": script_json({chart.name: chart.plotly for chart in drawn}),
        "judges": _judges(view),
        "otherwise": otherwise_figures(view),
        "slices": [(part, *slice_figures(view, part)) for part in view.slices],
        "regressions": _regressions(examples),
        "slice_names": slice_values(examples),
        "facts": _facts(view),
        "meta": script_json(_meta(view)),
        "language": language,
        "pages": pages,
        "share": share,
        "redact": sorted(redact),
    }


def _meta(view: View) -> dict[str, Any]:
    """What the script must know of the run."""
    languages = []
    for tag in view.languages:
        found = known(tag)
        languages.append({"tag": tag, "lang": found.tag, "name": found.english_name, "direction": found.direction})
    return {"candidate": view.candidate, "baseline": view.baseline, "languages": languages}


def _cards(view: View) -> list[dict[str, Any]]:
    """The six numbers under the sentence."""
    spent = view.cost.get("spent")
    requests = sum(int(row.get("requests") or 0) for row in view.cost.get("by_model") or ())
    agreement = _overall_agreement(view)
    fifth = (
        {"plain": wording.decimal(agreement), "label": "κ between the judges"}
        if agreement is not None
        else {"figure": view.first_defined("language_pass_rate"), "label": "answers in the language asked for"}
    )
    return [
        {"figure": view.figure(CONTROLLED, view.overall), "label": "length-controlled win rate", "bounds": True},
        {"figure": view.figure(WIN_RATE, view.overall), "label": "win rate", "bounds": True},
        _standing(view),
        {"figure": view.first_defined("flip_rate"), "label": "pairs reversed when the order is swapped"},
        fifth,
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


def _overall_agreement(view: View) -> float | None:
    """Mean over pairs of judges of kappa over all prompts; None with one judge."""
    kappas = [row["kappa"] for row in view.agreement if row["language"] == MICRO and row.get("kappa") is not None]
    return sum(kappas) / len(kappas) if kappas else None


def _judges(view: View) -> list[dict[str, Any]]:
    """One entry a judge: its figures and the table of its verdicts in both orders."""
    metrics = ("win_rate", "length_controlled_win_rate", "position_bias", "flip_rate", "order_consistency")
    return [
        {
            "name": str(judge["name"]),
            "model": str(judge.get("model") or ""),
            "offline": bool(judge.get("offline")),
            "missing": view.counts(view.overall, judge=str(judge["name"]))["missing"],
            "orders": _orders(view, str(judge["name"])),
            **{metric: view.first_defined(metric, judge=str(judge["name"])) for metric in metrics},
        }
        for judge in view.judges
    ]


def _orders(view: View, judge: str) -> list[list[int]] | None:
    """3 × 3 counts over all languages: rows candidate shown first, columns candidate shown second."""
    found = [row for row in view.results.get("orders") or () if row["judge"] == judge and row.get("table")]
    whole = [row for row in found if row["language"] == "micro"] or [
        row for row in found if row["language"] in view.languages
    ]
    if not whole:
        return None
    return [[sum(int(row["table"][i][j]) for row in whole) for j in range(3)] for i in range(3)]


def _regressions(examples: list[Example]) -> list[Example]:
    """The clearest losses: every judge prefers the baseline in every order, the surest first."""
    lost = [example for example in examples if example.unanimous_loss]
    return sorted(lost, key=lambda example: (example.score, -abs(example.ratio), example.id))[:REGRESSIONS]


def _facts(view: View) -> list[tuple[str, str]]:
    """How it was run, for those who repeat it."""
    origin = view.provenance
    suite = view.suite
    prompts = suite.get("prompts")
    number = sum(int(value) for value in prompts.values()) if isinstance(prompts, Mapping) else prompts
    facts = [
        ("Suite", " ".join(filter(None, (str(suite.get("name") or ""), str(suite.get("title") or ""))))),
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
        ("Started, finished", ", ".join(str(origin[key]) for key in ("started", "finished") if origin.get(key))),
        *(("Note", str(note)) for note in view.results.get("notes") or ()),
    ]
    return [(name, value) for name, value in facts if value]


def _judge_fact(judge: Mapping[str, Any]) -> str:
    digest = str(judge.get("definition_sha256") or "")
    kept = [str(judge.get("model") or ""), str(judge.get("kind") or ""), f"sha256 {digest}" if digest else ""]
    return ", ".join(filter(None, kept))


def _served(served: Sequence[Mapping[str, Any]]) -> str:
    return " / ".join(" ".join(filter(None, (each.get("served"), each.get("fingerprint")))) for each in served)


def _python(origin: Mapping[str, Any]) -> str:
    return f"on Python {origin['python']}" if origin.get("python") else ""
