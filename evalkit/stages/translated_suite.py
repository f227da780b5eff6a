"""Write a translated suite: its tables, its YAML, and the list of translations that people should look at."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from evalkit.errors import DataError, Problem
from evalkit.records import Prompt
from evalkit.run import write_whole
from evalkit.stages.translate import Doubt, Translated
from evalkit.suite import Suite, display_name

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
    try:
        (folder / "prompts").mkdir(parents=True, exist_ok=True)
        for language, prompts in by_language.items():
            origin = {} if language == sources[0].language else {ORIGIN: "machine-translated", "translated_by": model}
            lines = [json.dumps(_row(prompt, origin), ensure_ascii=False) for prompt in prompts]
            write_whole(folder / "prompts" / f"{language}.jsonl", "\n".join(lines) + "\n")
        write_whole(review, _review(translated.doubts))
        write_whole(file, _suite(suite, kept, languages=languages, model=model, doubts=len(translated.doubts)))
    except OSError as fault:
        problem = Problem(
            where=str(folder), message=f"cannot be written: {fault.strerror}", hint="choose another --out"
        )
        raise DataError(problem) from None
    return file, review


def _row(prompt: Prompt, origin: Mapping[str, str]) -> dict[str, Any]:
    """Return a prompt as a line of its table: a text where it is one, else the conversation."""
    messages = [{"role": message.role, "content": message.content} for message in prompt.messages]
    said: Any = messages[0]["content"] if [m["role"] for m in messages] == ["user"] else messages
    gold = {"reference": prompt.reference, "checklist": list(prompt.checklist)}
    return {"id": prompt.id, "prompt": said, **{k: v for k, v in gold.items() if v}, **prompt.meta, **origin}


def _review(doubts: Sequence[Doubt]) -> str:
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
