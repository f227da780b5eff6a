"""The dated table of models: what it knows, and that no default and no example names a model that is gone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from evalkit.calls import Model
from evalkit.catalogue import Takes, catalogue, facts_of, shutdown_of, shutdown_sentence
from evalkit.errors import InputError
from evalkit.shipped import shipped, shipped_names
from evalkit.stages.load import judge_text
from evalkit.suite import resolved_reference
from tests.conftest import ROOT

TODAY = datetime.now(UTC).date()
REFERENCE = re.compile(r"(?<![\w/.])((?:openai|anthropic)/[\w./:-]*[\w])(@http)?")
PLACEHOLDERS = re.compile(r"[a-z]|MODEL|NAME|any|my-.*|other-.*")
"""Names that stand for a reader's own model."""


def fault(reference: str) -> str | None:
    """What is wrong with naming a model as an example or a default today."""
    model = Model.parse(resolved_reference(reference, {}))
    if model.base_url or model.provider not in catalogue().models or PLACEHOLDERS.fullmatch(model.name):
        return None
    if facts_of(model) is None:
        return f"{reference}: the table does not know it"
    gone = shutdown_of(model)
    return f"{reference}: shut down on {gone}" if gone and gone <= TODAY else None


def defaults() -> Iterator[tuple[str, str]]:
    """(where, reference) of every model that is asked where a person names none."""
    for role, entry in catalogue().roles.items():
        yield f"role/{role}", entry.model
    for name in shipped_names("judges"):
        data = yaml.safe_load(judge_text(name)[0])
        yield from ((name, data[part]) for part in ("model", "policy", "reference", "translator") if part in data)
    for name in shipped_names("suites"):
        data = yaml.safe_load((shipped("suites") / f"{name}.yaml").read_text("utf-8"))
        models = [
            data.get("baseline"),
            *data.get("candidates", []),
            *(j for j in data["judges"] if isinstance(j, dict)),
        ]
        for each in models:
            reference = each.get("model") if isinstance(each, dict) else each
            if reference and not reference.startswith("recorded/"):
                yield name, reference


def examples() -> Iterator[tuple[str, str]]:
    """(file, reference) of every model that README, docs, help, messages or comments name."""
    files = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "evalkit").rglob("*.py")]
    files += [*(ROOT / "judges").glob("*.yaml"), *(ROOT / "suites").glob("*.yaml")]
    for path in files:
        for line in path.read_text("utf-8").splitlines():
            if not line.strip().startswith("published_model:"):
                for found in REFERENCE.finditer(line):
                    yield str(path.relative_to(ROOT)), found[1] + ("@http://host/v1" if found[2] else "")


@pytest.mark.parametrize(("where", "reference"), [*defaults()])
def test_no_default_is_past_its_date(where: str, reference: str) -> None:
    assert fault(reference) is None, where


def test_no_example_is_past_its_date_or_unknown() -> None:
    faults = {f"{file}: {fault(reference)}" for file, reference in examples() if fault(reference)}
    assert not faults
    assert len(list(examples())) > 20


def test_each_role_has_a_dated_reason() -> None:
    roles = catalogue().roles
    assert {"everyday-judge", "strong-judge", "cheap-judge", "log-probability-judge", "local-judge"} <= set(roles)
    for entry in roles.values():
        assert entry.date <= TODAY
        assert len(entry.reason) > 20
    model = Model.parse(roles["log-probability-judge"].model)
    facts = facts_of(model)
    assert facts is not None
    assert facts.log_probabilities in {Takes.YES, Takes.WITHOUT_REASONING}


def test_facts_are_those_of_the_providers_own_address() -> None:
    facts = facts_of(Model.parse("openai/gpt-6-sol"))
    assert facts is not None
    assert (facts.context, facts.max_output, facts.default_effort) == (1_050_000, 128_000, "medium")
    assert facts.temperature is Takes.WITHOUT_REASONING
    assert facts.log_probabilities is None, "nobody could establish it"
    assert facts_of(Model.parse("openai/gpt-6-sol@http://127.0.0.1:8000/v1")) is None
    assert facts_of(Model.parse("openai/gpt-7")) is None


def test_a_snapshot_has_its_models_facts_and_its_own() -> None:
    assert shutdown_of(Model.parse("openai/gpt-4.1-2025-04-14")) == date(2027, 1, 14)
    assert shutdown_of(Model.parse("openai/gpt-4o-2024-11-20")) == date(2027, 1, 14)
    assert shutdown_of(Model.parse("openai/gpt-4o")) is None
    assert shutdown_of(Model.parse("anthropic/claude-opus-4-20250514")) == date(2026, 6, 15)
    snapshot = facts_of(Model.parse("openai/gpt-4o-2024-11-20"))
    assert snapshot is not None
    assert snapshot.log_probabilities is Takes.YES


@pytest.mark.parametrize(
    ("days", "words"), [(-1, "was shut down on"), (0, "was shut down"), (90, "will be shut down on")]
)
def test_a_shutdown_is_warned_of_ninety_days_before(days: int, words: str) -> None:
    day = TODAY + timedelta(days=days)
    sentence = shutdown_sentence("openai/x", day, today=TODAY)
    assert sentence is not None
    assert sentence.startswith(f"openai/x {words}")
    assert str(day) in sentence


def test_a_far_or_unknown_shutdown_is_not_warned_of() -> None:
    assert shutdown_sentence("openai/x", TODAY + timedelta(days=91), today=TODAY) is None
    assert shutdown_sentence("openai/x", None, today=TODAY) is None


def test_a_suites_own_role_goes_before_the_tables() -> None:
    assert resolved_reference("role/cheap-judge", {}) == catalogue().roles["cheap-judge"].model
    assert resolved_reference("role/cheap-judge", {"cheap-judge": "openai/mine"}) == "openai/mine"
    assert resolved_reference("openai/x", {"x": "openai/y"}) == "openai/x"
    with pytest.raises(InputError, match="there is no role 'cheep-judge'\n    did you mean 'cheap-judge'"):
        resolved_reference("role/cheep-judge", {})


def test_the_table_is_no_judge(tmp_path: Path) -> None:
    assert "catalogue" not in shipped_names("judges")
