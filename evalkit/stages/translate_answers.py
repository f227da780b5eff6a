"""Into English: the answers that a reward reads in translation, asked for before the reward is.

answers ─► masked ─► asked, again where the reply is no translation ─► the same comparisons, answered in English
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from evalkit.calls import Response
from evalkit.dispatch import Task
from evalkit.dispatch.session import Session
from evalkit.judging.question import ask_translation
from evalkit.judging.replies import Unreadable, without_thoughts
from evalkit.language.check import check_answers
from evalkit.records import Comparison, Failure, Generation, LanguageStatus
from evalkit.stages.load import ResolvedJudge
from evalkit.translation.masking import Masked, mask, unmask

STAGE = "translate"
Place = tuple[str, str, str]
"""(judge, language, answer)."""


@dataclass(frozen=True, slots=True)
class TranslatedComparison:
    """A comparison as its judge reads it."""

    comparison: Comparison
    keys: tuple[str, ...] = ()
    """Of the translations in it, in the ledger."""


@dataclass(frozen=True, slots=True)
class _English:
    text: str
    key: str
    """In the ledger."""


@dataclass(frozen=True, slots=True)
class Translations:
    """What became of the answers that judges read in English."""

    found: Mapping[Place, _English | Failure]

    def tell(self, judge: ResolvedJudge, comparison: Comparison) -> TranslatedComparison | Failure | None:
        """Return the comparison as the judge reads it, or why it cannot; None where a translation did not come."""
        english: dict[str, _English] = {}
        for answer in _foreign(judge, comparison):
            found = self.found.get(_place(judge, answer))
            if found is None:
                return None
            if isinstance(found, Failure):
                return replace(found, message=f"the translation of {answer.model}'s answer: {found.message}")
            english[answer.text] = found
        candidate, baseline = (
            replace(answer, text=english[answer.text].text) if answer.text in english else answer
            for answer in (comparison.candidate, comparison.baseline)
        )
        keys = tuple(one.key for one in english.values())
        return TranslatedComparison(replace(comparison, candidate=candidate, baseline=baseline), keys)


async def in_english(cases: Iterable[tuple[ResolvedJudge, Comparison]], session: Session) -> Translations:
    """Translate each answer that a judge reads in English, once a judge.

    A reply that is no translation (cut off, refused, empty, a mark lost, the answer as it was) is asked again until the
    judge's `retries` are used up, then it is a failure.
    """
    pending = {
        _place(judge, answer): (judge, mask(answer.text))
        for judge, comparison in cases
        for answer in _foreign(judge, comparison)
    }
    found: dict[Place, _English | Failure] = {}
    attempt = 0
    while pending:
        tasks = {place: _task(judge, place, masked, attempt) for place, (judge, masked) in pending.items()}
        fetched = await session.ask(list(tasks.values()))
        faults = {failed.task.key: failed.failure for failed in fetched.failures}
        again = {}
        for place, task in tasks.items():
            judge, masked = pending[place]
            if task.key in faults:
                found[place] = faults[task.key]
            elif task.key in fetched.responses:
                heard = _read(fetched.responses[task.key], masked, place)
                if isinstance(heard, Unreadable):
                    found[place] = Failure(stage=STAGE, kind=heard.kind, message=heard.message, attempts=attempt + 1)
                    if attempt < judge.definition.retries:
                        again[place] = pending[place]
                else:
                    found[place] = _English(heard, task.key)
        pending, attempt = again, attempt + 1
    return Translations(found)


def translation_tasks(judge: ResolvedJudge, comparison: Comparison) -> list[Task]:
    """Return the first requests that put a comparison's answers into English; none where the judge reads them as is."""
    return [_task(judge, _place(judge, answer), mask(answer.text), attempt=0) for answer in _foreign(judge, comparison)]


def _foreign(judge: ResolvedJudge, comparison: Comparison) -> list[Generation]:
    """Return the answers that the judge reads in translation: not what is in English, or holds code alone."""
    if not judge.definition.translation or comparison.prompt.language.partition("-")[0] == "en":
        return []
    return [answer for answer in (comparison.candidate, comparison.baseline) if mask(answer.text).translatable]


def _place(judge: ResolvedJudge, answer: Generation) -> Place:
    return (judge.name, answer.language, answer.text)


def _task(judge: ResolvedJudge, place: Place, masked: Masked, attempt: int) -> Task:
    _, language, _ = place
    mark = "0".join(masked.brackets)
    request = ask_translation(
        judge.definition, masked.text, language=language, mark=mark, models=judge.models, attempt=attempt
    )
    return Task(request=request, key=request.key(), stage=STAGE, language=language, model=judge.name)


def _read(response: Response, masked: Masked, place: Place) -> str | Unreadable:
    """Return the English text, the spans that were kept in place."""
    if response.finish_reason == "length":
        return Unreadable("truncated", "the reply was cut off at max_tokens")
    if response.finish_reason in {"content_filter", "refusal"}:
        return Unreadable("refused", f"the translator refused ({response.finish_reason})")
    try:
        english = unmask(without_thoughts(response.text), masked)
    except ValueError as fault:
        return Unreadable("unreadable", str(fault))
    _, language, answer = place
    if english == answer:
        (check,) = check_answers([answer], "en", languages=[language, "en"])
        if check.status is LanguageStatus.WRONG:
            return Unreadable("unreadable", "the reply is the answer as it was, not in English")
    return english
