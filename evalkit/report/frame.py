"""What the report and the leaderboard share: assets, the content security policy, the template environment, figures."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files

import jinja2
from markupsafe import Markup

from evalkit.language.direction import paragraph_direction
from evalkit.report import forest, wording
from evalkit.report.drawing import svg
from evalkit.report.text import first_line, visible
from evalkit.report.view import Figure, autonym, known, language_name


def policy(*scripts: str) -> str:
    """Return the content security policy that admits these scripts by hash and nothing from outside.

    Charts need style attributes, so styles are not pinned; nothing that styles can load is admitted either.
    """
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" for script in scripts
    )
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data: blob:; font-src data:; "
        "connect-src 'none'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; "
        "trusted-types evalkit default"
    )


@cache
def asset(name: str) -> str:
    """Return a file of `assets/`."""
    return files(__package__).joinpath("assets", name).read_text(encoding="utf-8")


@cache
def application(*names: str) -> str:
    """Return a page's script: its parts, in this order, in one scope of their own."""
    parts = "\n".join(asset(f"js/{name}.js") for name in names)
    return f"(() => {{\n'use strict';\n{parts}}})();\n"


def mark(figure: Figure, style: str = "percent") -> Markup:
    """Return a figure as a `data` element that names its row of results.json; undefined ones say why in a title."""
    text = getattr(wording, style)(figure.value)
    place = " ".join(filter(None, (figure.judge, figure.language, figure.slice, figure.metric)))
    if not figure.defined:
        return Markup('<span class="mut" title="{}">{}</span>').format(figure.method, text)
    return Markup('<data value="{}" data-figure="{}">{}</data>').format(repr(figure.value), place, text)


def bounds(figure: Figure) -> Markup:
    """Return the interval of a figure as a `data` element."""
    if not figure.bounded:
        return Markup('<span class="mut" title="{}">{}</span>').format(figure.method, wording.UNDEFINED)
    place = " ".join(filter(None, (figure.judge, figure.language, figure.slice, figure.metric)))
    value = f"{figure.low!r} {figure.high!r}"
    return Markup('<data value="{}" data-interval="{}">{}</data>').format(
        value, place, wording.interval(figure.low, figure.high)
    )


@cache
def environment() -> jinja2.Environment:
    """Return the template environment: autoescaping on, undefined names are errors."""
    made = jinja2.Environment(
        loader=jinja2.FunctionLoader(asset),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"mark": mark, "bounds": bounds, "visible": visible, "first_line": first_line}
    made.globals |= {
        "wording": wording,
        "language_name": language_name,
        "known": known,
        "autonym": autonym,
        "direction": paragraph_direction,
        "shown": forest.shown,
        "svg": svg,
    }
    return made
