"""Judges and comparisons for the tests of this folder."""

from __future__ import annotations

from typing import Any

from evalkit.calls import Message, Model, Response, Unreadable
from evalkit.judging.definition import JudgeDefinition
from evalkit.judging.pairing import pair
from evalkit.judging.reading import read
from evalkit.judging.validate import parse_definition
from evalkit.records import Comparison, Generation, Order, Prompt, Verdict
from evalkit.shipped import shipped

MODELS = {role: Model.parse("openai/judge@http://127.0.0.1:9/v1") for role in ("judge", "policy", "reference")}


def shipped_judge(name: str) -> JudgeDefinition:
    return parse_definition((shipped("judges") / f"{name}.yaml").read_text("utf-8"), name=f"{name}.yaml")


def prompt(language: str = "en", *, id: str = "p1", text: str = "What is photosynthesis?", **more: Any) -> Prompt:  # noqa: A002
    return Prompt(id=id, language=language, messages=(Message("user", text),), **more)


def answer(text: str, *, model: str = "candidate", language: str = "en", id: str = "p1", **more: Any) -> Generation:  # noqa: A002
    return Generation(model=model, prompt_id=id, language=language, text=text, **more)


def comparisons(
    definition: JudgeDefinition,
    candidate: str = "the candidate's answer",
    baseline: str = "the baseline's answer",
    *,
    language: str = "en",
    repeats: int = 1,
    of: Prompt | None = None,
) -> list[Comparison]:
    asked = of or prompt(language, reference="gold", checklist=("one", "two"), meta={"english": "Say it."})
    return pair(
        [asked],
        [answer(candidate, language=asked.language, id=asked.id)],
        [answer(baseline, model="baseline", language=asked.language, id=asked.id)],
        judge=definition.name,
        definition=definition,
        repeats=repeats,
    )


def forward(definition: JudgeDefinition, candidate: str = "one", baseline: str = "two", **more: Any) -> Comparison:
    return next(item for item in comparisons(definition, candidate, baseline, **more) if item.order is Order.FORWARD)


def hear(definition: JudgeDefinition, *replies: str | Response) -> Verdict | Unreadable:
    """What the judge is understood to say when it replies so (to a forward comparison)."""
    responses = [Response(text=item) if isinstance(item, str) else item for item in replies]
    return read(definition, forward(definition), responses)


def filled(definition: JudgeDefinition, reason: str, *, best: bool) -> dict[str, Any]:
    """The definition's form with the best or the worst value wherever it asks for one."""
    form: dict[str, Any] = {}
    for name, field in definition.reply.items():
        if field == "text":
            form[name] = reason
        elif isinstance(field, str):
            form[name] = 5 if best else 1
        else:
            decides = name == definition.verdict or name in definition.scores
            ranked = sorted(field, key=lambda word: definition.labels.get(word, 0.0)) if decides else list(field)
            form[name] = ranked[-1] if best else ranked[0]
    return form
