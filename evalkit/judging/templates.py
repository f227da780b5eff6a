"""The sandbox in which a judge's words are rendered: values are data, an undefined variable is an error.

A template sees the language and the material, nothing else of the pair: whatever a prompt or an answer says reaches the
judge as JSON between markers, never as a part of the message.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any

import jinja2
from jinja2 import meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from evalkit.errors import did_you_mean
from evalkit.language.tags import Language

LANGUAGE_FACTS = ("tag", "english_name", "autonym", "script", "script_name", "direction")
"""What a template may say of the expected language: `{{ language.english_name }}`."""

_ENVIRONMENT = ImmutableSandboxedEnvironment(
    undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False
)
_ENVIRONMENT.globals.clear()


@functools.lru_cache(maxsize=512)
def _compiled(source: str) -> jinja2.Template:
    return _ENVIRONMENT.from_string(source)


def render(source: str, values: Mapping[str, Any]) -> str:
    """Return the template filled in.

    Raises:
        jinja2.TemplateError: syntax, an undefined variable, or something the sandbox forbids.
    """
    return _compiled(source).render(values).strip()


@functools.lru_cache(maxsize=4096)
def render_for(source: str, language: Language) -> str:
    """Return a template that depends on the language alone.

    Raises:
        jinja2.TemplateError: as `render`.
    """
    return render(source, {"language": language})


def template_faults(source: str, *, allowed: tuple[str, ...]) -> Iterator[tuple[int, str, str]]:
    """Yield (line in the template, what is wrong, how to mend it) without rendering."""
    try:
        tree = _ENVIRONMENT.parse(source)
    except jinja2.TemplateSyntaxError as fault:
        yield fault.lineno, f"template: {fault.message}", "write a literal brace as {{ '{' }}"
        return
    unknown_words = [*_unknown_words(tree)]
    yield from unknown_words
    if unknown_words:
        return
    unknown = meta.find_undeclared_variables(tree) - set(allowed)
    for node in tree.find_all(nodes.Name):
        if node.name in unknown:
            yield node.lineno, f"template: {node.name!r} is undefined", did_you_mean(node.name, allowed)
    for access in tree.find_all((nodes.Getattr, nodes.Getitem)):
        of = getattr(access, "node", None)
        owner = of.name if isinstance(of, nodes.Name) else ""
        fact = getattr(access, "attr", None) or getattr(getattr(access, "arg", None), "value", None)
        if owner == "language" and fact not in LANGUAGE_FACTS:
            yield access.lineno, f"template: language has no {fact!r}", did_you_mean(str(fact), LANGUAGE_FACTS)


def _unknown_words(tree: nodes.Template) -> Iterator[tuple[int, str, str]]:
    """Filters and tests that do not exist; with one of them, Jinja looks at nothing else."""
    for kind, what, known in ((nodes.Filter, "filter", _ENVIRONMENT.filters), (nodes.Test, "test", _ENVIRONMENT.tests)):
        for word in tree.find_all(kind):
            if word.name not in known:
                yield word.lineno, f"template: there is no {what} {word.name!r}", did_you_mean(word.name, sorted(known))
