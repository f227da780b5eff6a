"""Which recorded answer belongs to which prompt: by id, else by the prompt's text, else by position."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evalkit.data.layouts import Answer
from evalkit.data.prompts import bare_id
from evalkit.errors import DataError, Problem
from evalkit.records import Prompt


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Which answers belong to which prompts, in one language."""

    by: str
    """id, text or position: what they were matched by."""
    answers: Mapping[str, Sequence[Answer]]
    """Prompt id → its answers."""
    extra: int
    """Answers to prompts that were not asked."""
    note: str = ""
    """What readers should know of the match, in words."""


def match_answers(
    answers: Sequence[Answer], asked: Sequence[Prompt], known: Sequence[Prompt], *, where: str, language: str
) -> Match:
    """Match answers to prompts: by id, else by the prompt's text, else by position.

    Ids decide, unless the prompt texts in the file show that its ids mean other prompts (rows numbered from 0, say).

    Raises:
        DataError: nothing matches, or a match by position would be a guess.
    """
    by_id, by_text = _by_id(answers, known), _by_text(answers, known)
    if by_id and _contradicted(by_id, known) and len(by_text) > len(by_id) / 2:
        by_id = {}
    if by_id or by_text:
        # Rows without an id of ours may still say which prompt they answer.
        matches = by_id | {key: own for key, own in by_text.items() if key not in by_id}
        matched = sum(len(own) for own in matches.values())
        wanted = {prompt.id for prompt in asked}
        surplus = len(answers) - matched + sum(len(own) for key, own in matches.items() if key not in wanted)
        note = "" if by_id else "answers matched by the text of their prompts"
        match = Match(by="id" if by_id else "text", answers=matches, extra=surplus, note=note)
        return _checked(match, asked, where, language)
    if any(answer.id or answer.prompt for answer in answers):
        hint = f"the file has ids like {answers[0].id!r}, the prompts {known[0].id!r}"
        message = f"no answer belongs to a prompt in {language!r}, by id or by text"
        raise DataError(Problem(where=where, message=message, hint=hint))
    if len(answers) != len(known):
        message = f"{len(answers)} answers without id or prompt for {len(known)} prompts in {language!r}"
        raise DataError(Problem(where=where, message=message, hint="give every answer the `id` of its prompt"))
    placed = {prompt.id: [answer] for prompt, answer in zip(known, answers, strict=True)}
    note = "answers have neither id nor prompt: matched by position, which nothing checks"
    return _checked(
        Match(by="position", answers=placed, extra=len(known) - len(asked), note=note), asked, where, language
    )


def _checked(match: Match, asked: Sequence[Prompt], where: str, language: str) -> Match:
    """Drop rows without an answer (they are missing), and refuse a file that answers none of the prompts."""
    given = {key: [answer for answer in own if answer.turns] for key, own in match.answers.items()}
    if not any(given.get(prompt.id) for prompt in asked):
        message = f"none of the {len(asked)} prompts in {language!r} has an answer"
        raise DataError(Problem(where=where, message=message, hint="is it the file of another suite or language?"))
    return Match(by=match.by, answers=given, extra=match.extra, note=match.note)


def _by_id(answers: Sequence[Answer], prompts: Sequence[Prompt]) -> dict[str, list[Answer]]:
    """Match by id; prompts of a suite that is not parallel are also known without the mark of their language.

    Of several answers to one id, those with the prompt's text count: the others are of other languages.
    """
    ids = {bare_id(prompt.id, prompt.language): prompt.id for prompt in prompts}
    ids |= {prompt.id: prompt.id for prompt in prompts}
    texts = {prompt.id: _plain(prompt.text) for prompt in prompts}
    matches: dict[str, list[Answer]] = defaultdict(list)
    for answer in answers:
        if answer.id in ids:
            matches[ids[answer.id]].append(answer)
    for key, own in matches.items():
        if len(own) > 1:
            matches[key] = [answer for answer in own if _plain(answer.prompt or "") == texts[key]] or own
    return dict(matches)


def _by_text(answers: Sequence[Answer], prompts: Sequence[Prompt]) -> dict[str, list[Answer]]:
    """Match by the prompt's text; prompts of one text take its answers in turn."""
    ids: dict[str, list[str]] = defaultdict(list)
    for prompt in prompts:
        ids[_plain(prompt.text)].append(prompt.id)
    seen: Counter[str] = Counter()
    matches: dict[str, list[Answer]] = defaultdict(list)
    for answer in answers:
        text = _plain(answer.prompt or "")
        same = ids.get(text) if text else None
        if same:
            matches[same[seen[text] % len(same)]].append(answer)
            seen[text] += 1
    return dict(matches)


def _contradicted(by_id: Mapping[str, Sequence[Answer]], prompts: Sequence[Prompt]) -> bool:
    """Whether most of the matched answers name another prompt than the one of their id."""
    texts = {prompt.id: _plain(prompt.text) for prompt in prompts}
    named = [(key, answer.prompt) for key, own in by_id.items() for answer in own if answer.prompt]
    return sum(_plain(text) != texts[key] for key, text in named) > len(named) / 2


def _plain(text: str) -> str:
    """Return the text without differences that do not matter: composition and white space."""
    return " ".join(unicodedata.normalize("NFC", text).split())
