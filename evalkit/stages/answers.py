"""Generate: every model's answers to every prompt, read from files or asked turn by turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from evalkit.calls import Request, Response
from evalkit.conversation import conversation, turns
from evalkit.data.answers import read_answers
from evalkit.dispatch import Task
from evalkit.dispatch.session import Session
from evalkit.records import Failure, Generation, Prompt
from evalkit.stages.load import AnsweringModel, Workload

STAGE = "generate"
Key = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """One model's answers to the prompts of a suite."""

    generations: tuple[Generation, ...]
    failures: tuple[Failure, ...]
    """One for each prompt without an answer."""
    notes: tuple[str, ...] = ()
    """What readers should know: how recorded answers were matched, duplicates, answers nobody asked for."""


async def generate(workload: Workload, session: Session) -> dict[str, Answers]:
    """Return the answers of the baseline and of every candidate, by name."""
    answerers = workload.answerers
    read = {answerer.name: _read(answerer, workload) for answerer in answerers if answerer.recorded}
    asked = await _ask([answerer for answerer in answerers if not answerer.recorded], workload.prompts, session)
    return read | asked


def _read(answerer: AnsweringModel, workload: Workload) -> Answers:
    found = read_answers(
        answerer.config, workload.prompts, folder=workload.folder, data=workload.data, everything=workload.unsampled
    )
    missing = [
        Failure(
            stage=STAGE,
            kind="missing_answer",
            message="no recorded answer",
            model=answerer.name,
            language=language,
            prompt_id=prompt,
        )
        for language, prompt in found.missing
    ]
    return Answers(generations=found.generations, failures=tuple(missing), notes=found.notes)


async def _ask(answerers: Sequence[AnsweringModel], prompts: Sequence[Prompt], session: Session) -> dict[str, Answers]:
    """Ask all answerers turn by turn: one round a turn, all models in each round."""
    said: dict[tuple[str, Key], list[tuple[str, Response]]] = {(v.name, p.key): [] for v in answerers for p in prompts}
    failures: dict[str, list[Failure]] = {answerer.name: [] for answerer in answerers}
    for turn in range(max((turns(prompt) for prompt in prompts), default=0)):
        tasks = [
            (
                answerer,
                prompt,
                _task(answerer, prompt, [response.text for _, response in said[answerer.name, prompt.key]]),
            )
            for answerer in answerers
            for prompt in prompts
            if turn < turns(prompt) and len(said[answerer.name, prompt.key]) == turn
        ]
        fetched = await session.ask([task for _, _, task in tasks])
        faults = {failed.task.key: failed.failure for failed in fetched.failures}
        for answerer, prompt, task in tasks:
            if task.key in fetched.responses:
                said[answerer.name, prompt.key].append((task.key, fetched.responses[task.key]))
            elif task.key in faults:
                failures[answerer.name].append(
                    replace(faults[task.key], model=answerer.name, prompt_id=prompt.id, language=prompt.language)
                )
    return {answerer.name: _collect(answerer, prompts, said, failures[answerer.name]) for answerer in answerers}


def _task(answerer: AnsweringModel, prompt: Prompt, earlier: Sequence[str]) -> Task:
    system = answerer.system(prompt.language)
    messages = conversation(prompt, earlier, system=system)
    request = Request(model=answerer.model_for(prompt), messages=messages, sampling=answerer.sampling)
    return Task(request=request, key=request.key(), stage=STAGE, language=prompt.language, model=answerer.name)


def _collect(
    answerer: AnsweringModel,
    prompts: Sequence[Prompt],
    said: Mapping[tuple[str, Key], Sequence[tuple[str, Response]]],
    failures: Sequence[Failure],
) -> Answers:
    done = [(prompt, said[answerer.name, prompt.key]) for prompt in prompts]
    return Answers(
        generations=tuple(
            _generation(answerer, prompt, replies) for prompt, replies in done if len(replies) == turns(prompt)
        ),
        failures=tuple(failures),
    )


def _generation(answerer: AnsweringModel, prompt: Prompt, replies: Sequence[tuple[str, Response]]) -> Generation:
    *before, (key, last) = replies
    return Generation(
        model=answerer.name,
        prompt_id=prompt.id,
        language=prompt.language,
        text=last.text,
        earlier=tuple(response.text for _, response in before),
        reasoning=last.reasoning,
        finish_reason=last.finish_reason,
        output_tokens=last.usage.output_tokens,
        request_key=key,
        served_model=last.served_model,
        fingerprint=last.fingerprint,
    )
