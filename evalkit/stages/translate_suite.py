"""Translate: a suite in one language becomes one in many, through the ledger, with a list of what people should review.

prompts ─► masked texts ─► asked ─► unmasked ─► checked ─► tables, suite, review list
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from evalkit import calls
from evalkit.data.review import damages
from evalkit.dispatch import Task
from evalkit.dispatch.session import Session
from evalkit.errors import DataError, Problem
from evalkit.files import write_all
from evalkit.language.check import check_answers
from evalkit.records import LanguageStatus, Prompt
from evalkit.suite import Suite, display_name
from evalkit.translation.masking import Masked, mask, odd_lengths, question, unmask

STAGE = "translate"
ATTEMPTS = 3
"""How often a text is put to the model until every mark has come back."""
Place = tuple[str, str, int]
"""(target language, prompt id, message number)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TranslationIssue:
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
    doubts: tuple[TranslationIssue, ...]
    left_out: tuple[str, ...]
    """Ids without a translation in some language: they are in no table, so that the suite is parallel."""


async def translate(
    prompts: Sequence[Prompt], *, to: Sequence[str], model: calls.Model, sampling: calls.Sampling, session: Session
) -> Translated:
    """Translate prompts into each language of `to`.

    Raises:
        InputError: the model cannot be used.
        IncompleteError: a cap or the error budget was reached; what was answered is kept.
    """
    masks = {(p.id, k): mask(m.content) for p in prompts for k, m in enumerate(p.messages)}
    source = prompts[0].language
    texts, faults = await _texts(masks, source=source, to=to, model=model, sampling=sampling, session=session)
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
    session: Session,
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
        fetched = await session.ask(list(tasks.values()))
        if session.stopped is not None:
            raise session.stopped
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


def _failed(prompts: Sequence[Prompt], faults: Mapping[Place, str]) -> Iterator[TranslationIssue]:
    """Name what has no translation."""
    texts = {prompt.id: prompt.text for prompt in prompts}
    for (language, prompt_id, _), fault in faults.items():
        reasons = (f"no translation: {fault}",)
        yield TranslationIssue(
            language=language, prompt_id=prompt_id, reasons=reasons, source=texts[prompt_id], translation=""
        )


def _doubts(sources: Sequence[Prompt], translations: Sequence[Prompt]) -> Iterator[TranslationIssue]:
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
            yield TranslationIssue(
                language=language, prompt_id=prompt.id, reasons=tuple(reasons), source=before[k], translation=texts[k]
            )


ORIGIN = "origin"


def write_translation(
    folder: Path, suite: Suite, *, sources: Sequence[Prompt], translated: Translated, model: str
) -> tuple[Path, Path]:
    """Write everything; return the suite's file and the review list.

    Raises:
        DataError: nothing was translated, or the folder cannot be written.
    """
    kept = [prompt for prompt in sources if prompt.id not in translated.left_out]
    if not translated.prompts or not kept:
        raise DataError(Problem(message="no prompt was translated into every language", hint="see the model's replies"))
    languages = list(dict.fromkeys(prompt.language for prompt in (*kept, *translated.prompts)))
    by_language: dict[str, list[Prompt]] = {language: [] for language in languages}
    for prompt in (*kept, *translated.prompts):
        by_language[prompt.language].append(prompt)
    file, review = folder / f"{suite.name}.yaml", folder / "review.csv"
    files: dict[Path, str | bytes] = {}
    for language, prompts in by_language.items():
        origin = {} if language == sources[0].language else {ORIGIN: "machine-translated", "translated_by": model}
        lines = [json.dumps(_row(prompt, origin), ensure_ascii=False) for prompt in prompts]
        files[folder / "prompts" / f"{language}.jsonl"] = "\n".join(lines) + "\n"
    files[review] = _review(translated.doubts)
    files[file] = _suite(suite, kept, languages=languages, model=model, doubts=len(translated.doubts))
    write_all(files, error=DataError, option="--out")
    return file, review


def _row(prompt: Prompt, origin: Mapping[str, str]) -> dict[str, Any]:
    """Return a prompt as a line of its table: a text where it is one, else the conversation."""
    messages = [{"role": message.role, "content": message.content} for message in prompt.messages]
    said: Any = messages[0]["content"] if [m["role"] for m in messages] == ["user"] else messages
    gold = {"reference": prompt.reference, "checklist": list(prompt.checklist)}
    return {"id": prompt.id, "prompt": said, **{k: v for k, v in gold.items() if v}, **prompt.meta, **origin}


def _review(doubts: Sequence[TranslationIssue]) -> str:
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["language", "id", "reasons", "source", "translation"])
    writer.writerows([d.language, d.prompt_id, "; ".join(d.reasons), d.source, d.translation] for d in doubts)
    return table.getvalue()


def _suite(suite: Suite, kept: Sequence[Prompt], *, languages: Sequence[str], model: str, doubts: int) -> str:
    """Return the new suite's YAML: the old one's protocol on the new tables."""
    fields = list(dict.fromkeys(name for prompt in kept for name in prompt.meta))
    gold = {name: name for name in ("reference", "checklist") if any(getattr(prompt, name) for prompt in kept)}
    about = suite.about.model_dump(exclude={"get_data"}, exclude_defaults=True)
    about["description"] = f"{about.get('description', '')} Translated from {languages[0]} by {model}.".strip()
    about["prompts_per_language"] = str(len(kept))
    data: dict[str, Any] = {"name": suite.name, "about": about, "languages": list(languages)}
    data["prompts"] = {
        "files": "prompts/{language}.jsonl",
        "columns": {"id": "id", "text": "prompt", **gold, **{name: name for name in fields}},
        "slices": list(suite.prompts.slices),
    }
    asked = suite.baseline if suite.baseline and not suite.baseline.model.startswith("recorded/") else None
    for key, part in (("baseline", asked), ("generation", suite.generation), ("statistics", suite.statistics)):
        said = part.model_dump(mode="json", exclude_unset=True) if part else {}
        if said:
            data[key] = said
    data["judges"] = [judge.model_dump(mode="json", exclude_unset=True) for judge in suite.judges]
    note = ""
    if suite.baseline and asked is None:
        note = f"# {display_name(suite.baseline)} has no answers to the translations: name another with --baseline.\n"
    head = f"# Translated by {model}; {doubts} translations to look at are in review.csv.\n{note}"
    return head + yaml.safe_dump(data, allow_unicode=True, sort_keys=False, width=120)
