"""Translate: a suite in one language becomes one in many, through the ledger, with a list of what people should review.

prompts ─► masked texts ─► asked ─► unmasked ─► checked ─► tables, suite, review list
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from evalkit import calls
from evalkit.dispatch import Task
from evalkit.language.check import check_answers
from evalkit.prompts.masking import Masked, mask, odd_lengths, question, unmask
from evalkit.prompts.review import damages
from evalkit.records import LanguageStatus, Prompt
from evalkit.stages.asker import Asker

STAGE = "translate"
ATTEMPTS = 3
"""How often a text is put to the model until every mark has come back."""
Place = tuple[str, str, int]
"""(target language, prompt id, message number)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """A translation for a person to look at."""

    language: str
    prompt_id: str
    reasons: tuple[str, ...]
    source: str
    translation: str
    """Empty where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Translated:
    """What came back."""

    prompts: tuple[Prompt, ...]
    """By language, in the source's order; only prompts that every language has."""
    doubts: tuple[Doubt, ...]
    left_out: tuple[str, ...]
    """Ids without a translation in some language: they are in no table, so that the suite is parallel."""


async def translate(
    prompts: Sequence[Prompt], *, to: Sequence[str], model: calls.Model, sampling: calls.Sampling, asker: Asker
) -> Translated:
    """Translate prompts into each language of `to`.

    Raises:
        InputError: the model cannot be used.
        IncompleteError: a cap or the error budget was reached; what was answered is kept.
    """
    masks = {(p.id, k): mask(m.content) for p in prompts for k, m in enumerate(p.messages)}
    source = prompts[0].language
    texts, faults = await _texts(masks, source=source, to=to, model=model, sampling=sampling, asker=asker)
    found: dict[str, list[Prompt]] = {}
    for language in to:
        for prompt in prompts:
            own = [texts.get((language, prompt.id, k)) for k in range(len(prompt.messages))]
            if all(text is not None for text in own):
                messages = tuple(replace(m, content=text or "") for m, text in zip(prompt.messages, own, strict=True))
                found.setdefault(language, []).append(replace(prompt, language=language, messages=messages))
    whole = [{prompt.id for prompt in found.get(language, ())} for language in to]
    left_out = tuple(prompt.id for prompt in prompts if not all(prompt.id in ids for ids in whole))
    doubts = [
        *_failed(prompts, faults),
        *(doubt for language in to for doubt in _doubts(prompts, found.get(language, ()))),
    ]
    kept = [prompt for language in to for prompt in found.get(language, ()) if prompt.id not in left_out]
    return Translated(prompts=tuple(kept), doubts=tuple(doubts), left_out=left_out)


async def _texts(
    masks: Mapping[tuple[str, int], Masked],
    *,
    source: str,
    to: Sequence[str],
    model: calls.Model,
    sampling: calls.Sampling,
    asker: Asker,
) -> tuple[dict[Place, str], dict[Place, str]]:
    """Return the translated texts, and why the others are missing. A reply that lost a mark is asked for again."""
    places = [(language, *part) for language in to for part in masks]
    texts = {
        place: unmask(masks[place[1:]].text, masks[place[1:]]) for place in places if not masks[place[1:]].translatable
    }
    faults: dict[Place, str] = {}
    missing = [place for place in places if place not in texts]
    for attempt in range(ATTEMPTS):
        tasks = {
            place: _task(masks[place[1:]], source, place[0], model=model, sampling=sampling, attempt=attempt)
            for place in missing
        }
        fetched = await asker.ask(list(tasks.values()))
        if asker.stopped is not None:
            raise asker.stopped
        failed = {item.task.key: item.failure.message for item in fetched.failures}
        faults |= {place: failed[task.key] for place, task in tasks.items() if task.key in failed}
        missing = []
        for place, task in tasks.items():
            if task.key not in failed:
                try:
                    texts[place] = unmask(fetched.responses[task.key].text, masks[place[1:]])
                    faults.pop(place, None)
                except ValueError as fault:
                    faults[place] = str(fault)
                    missing.append(place)
        if not missing:
            break
    return texts, faults


def _task(
    masked: Masked, source: str, language: str, *, model: calls.Model, sampling: calls.Sampling, attempt: int
) -> Task:
    request = calls.Request(
        model=model, messages=question(masked, source=source, target=language), sampling=sampling, attempt=attempt
    )
    return Task(request=request, key=request.key(), stage=STAGE, language=language, model=str(model))


def _failed(prompts: Sequence[Prompt], faults: Mapping[Place, str]) -> Iterator[Doubt]:
    """Name what has no translation."""
    texts = {prompt.id: prompt.text for prompt in prompts}
    for (language, prompt_id, _), fault in faults.items():
        reasons = (f"no translation: {fault}",)
        yield Doubt(language=language, prompt_id=prompt_id, reasons=reasons, source=texts[prompt_id], translation="")


def _doubts(sources: Sequence[Prompt], translations: Sequence[Prompt]) -> Iterator[Doubt]:
    """Check the translations of one language: its language, its length, what it kept, and whether it is one at all."""
    if not translations:
        return
    language = translations[0].language
    originals = {prompt.id: prompt.text for prompt in sources}
    texts = [prompt.text for prompt in translations]
    before = [originals[prompt.id] for prompt in translations]
    checks = check_answers(texts, language, languages=[sources[0].language, language])
    lengths = set(odd_lengths(before, texts))
    for k, (prompt, check) in enumerate(zip(translations, checks, strict=True)):
        reasons = [told for _, told in damages(before[k], texts[k])]
        if check.status is LanguageStatus.WRONG:
            reasons.append(f"looks like {check.identified}")
        if check.status is LanguageStatus.MIXED:
            reasons.append(f"partly {check.identified}")
        if k in lengths:
            reasons.append("unusually long or short beside its source")
        if texts[k] == before[k] and mask(before[k]).translatable:
            reasons.append("the same as its source")
        if reasons:
            yield Doubt(
                language=language, prompt_id=prompt.id, reasons=tuple(reasons), source=before[k], translation=texts[k]
            )
