"""Roles: `role/everyday-judge` stands for the model that plays this role today, wherever a model is named.

A suite's own `roles:` go before those of the table that ships (catalogue.json). run.yaml carries the roles that its
judges used, so that repeating the run asks the same models when the table has changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from evalkit.catalogue import role_models
from evalkit.errors import Problem, SuiteError, did_you_mean, raise_all
from evalkit.settings import Settings
from evalkit.suite.schema import ModelConfig, Suite

S = TypeVar("S", bound=Settings)
PREFIX = "role/"


def is_role(reference: str) -> bool:
    """Return whether a model reference names a role."""
    return reference.startswith(PREFIX)


def role_problem(reference: str, own: Mapping[str, str]) -> Problem | None:
    """Return what is wrong with a reference that names a role; None where it names none, or one that there is."""
    known = role_models(own)
    role = reference.removeprefix(PREFIX)
    if not is_role(reference) or role in known:
        return None
    return Problem(message=f"there is no role {role!r}", hint=did_you_mean(role, sorted(known)))


def resolved_reference(reference: str, own: Mapping[str, str]) -> str:
    """Return the model reference that a reference stands for: the model of a role, else the reference itself.

    Raises:
        SuiteError: there is no such role.
    """
    raise_all(filter(None, [role_problem(reference, own)]), SuiteError)
    return role_models(own)[reference.removeprefix(PREFIX)] if is_role(reference) else reference


def with_models(suite: Suite) -> Suite:
    """Return the suite with a model in the place of every role that its candidates, baseline and judges name.

    Raises:
        SuiteError: there is no such role.
    """
    own = suite.roles
    judges = tuple(
        _changed(judge, model=_resolved(judge.model, own)) if judge.model else judge for judge in suite.judges
    )
    candidates = tuple(_resolved(config, own) for config in suite.candidates)
    baseline = _resolved(suite.baseline, own) if suite.baseline else None
    return _changed(suite, judges=judges, candidates=candidates, baseline=baseline)


def _resolved(config: ModelConfig, own: Mapping[str, str]) -> ModelConfig:
    variants = {
        value: _changed(variant, model=resolved_reference(variant.model, own))
        for value, variant in config.variants.items()
    }
    return _changed(config, model=resolved_reference(config.model, own), variants=variants)


def _changed(settings: S, **fields: Any) -> S:
    """Return a copy with other values; fields that stay equal do not count as written by a person."""
    update = {name: value for name, value in fields.items() if value != getattr(settings, name)}
    return settings.model_copy(update=update) if update else settings
