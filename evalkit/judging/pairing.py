"""From answers to comparisons: every pair in both orders, ordered so that prefix caches hit."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

from evalkit.errors import JudgeError, Problem, raise_all
from evalkit.judging.definition import JudgeDefinition, JudgeKind
from evalkit.records import Comparison, Generation, Order, Prompt

if TYPE_CHECKING:
    from collections.abc import Iterator

ENGLISH = "english"
"""Field of a prompt's meta that holds its English version, for rewards that read every answer under it."""


def pair(
    prompts: Sequence[Prompt],
    candidate_answers: Sequence[Generation],
    baseline_answers: Sequence[Generation],
    *,
    judge: str,
    definition: JudgeDefinition,
    repeats: int = 1,
) -> list[Comparison]:
    """Return the comparisons of one judge; prompts without both answers are left out.

    A judge that scores answers one by one has the forward order only. Comparisons that share a long beginning (the same
    language, then the same prompt) stand side by side, in the order of the prompts.

    Raises:
        JudgeError: the judge does not judge one of the languages, or needs what the prompts do not have.
    """
    languages = tuple(dict.fromkeys(prompt.language for prompt in prompts))
    prompts = prepared(prompts, definition)
    raise_all([*definition.language_problems(languages), *_lacking(definition, judge, prompts)], JudgeError)
    candidates = {answer.key: answer for answer in candidate_answers}
    baselines = {answer.key: answer for answer in baseline_answers}
    orders = (Order.FORWARD,) if definition.pointwise else (Order.FORWARD, Order.SWAPPED)
    return [
        Comparison(
            judge=judge,
            prompt=prompt,
            candidate=candidates[prompt.key],
            baseline=baselines[prompt.key],
            order=order,
            repeat=repeat,
        )
        for language in languages
        for prompt in prompts
        if prompt.language == language and prompt.key in candidates and prompt.key in baselines
        for repeat in range(repeats)
        for order in orders
    ]


def _lacking(definition: JudgeDefinition, judge: str, prompts: Sequence[Prompt]) -> Iterator[Problem]:
    """Say which required parts of the material how many prompts lack."""
    for part, need in definition.uses.items():
        without = [prompt for prompt in prompts if not prompt_part(prompt, part)]
        if need == "required" and without:
            first = without[0]
            yield Problem(
                where=f"judge {judge}",
                message=f"{len(without)} of {len(prompts)} prompts have no {part} (first: {first.language} {first.id})",
                hint=f"name the source's column in the suite, `columns: {{{part}: …}}`, or take another judge",
            )


def prompt_part(prompt: Prompt, part: str) -> str | list[str] | None:
    """Return the reference, the checklist or a field of meta; None where the prompt has none."""
    if part == "reference":
        return prompt.reference
    if part == "checklist":
        return list(prompt.checklist) or None
    return prompt.meta.get(part)


def prepared(prompts: Sequence[Prompt], definition: JudgeDefinition) -> Sequence[Prompt]:
    """Return the prompts with what the judge needs of their translations; parts of these can be paired by themselves.

    Raises:
        JudgeError: the judge reads prompts in English, and one has no English version.
    """
    return _with_english(prompts) if _needs_english(definition) else prompts


def _needs_english(definition: JudgeDefinition) -> bool:
    """Whether a reward's template reads the English version of the prompt."""
    templates = definition.user if isinstance(definition.user, dict) else {"": definition.user}
    return definition.kind is JudgeKind.REWARD and any(ENGLISH in text for text in templates.values())


def _with_english(prompts: Sequence[Prompt]) -> list[Prompt]:
    """Give every prompt its English version; prompts of one id are translations of one another."""
    english = {prompt.id: prompt.text for prompt in prompts if prompt.language.partition("-")[0] == "en"}
    without = [prompt for prompt in prompts if prompt.id not in english and ENGLISH not in prompt.meta]
    if without:
        message = f"{len(without)} prompts have no English version (first: {without[0].language} {without[0].id})"
        hint = "add en to the suite's languages, or take a template that reads {{ prompt }}"
        raise JudgeError(Problem(message=message, hint=hint))
    return [
        dataclasses.replace(prompt, meta={ENGLISH: english.get(prompt.id, ""), **prompt.meta}) for prompt in prompts
    ]
