"""Generate: every model's answers to every prompt, read from files or asked turn by turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from evalkit.answers import read_answers
from evalkit.calls import Request, Response
from evalkit.conversation import conversation, turns
from evalkit.dispatch import Task
from evalkit.records import Failure, Generation, Prompt
from evalkit.stages.asker import Asker
from evalkit.stages.load import Material, Voice

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


async def generate(material: Material, asker: Asker) -> dict[str, Answers]:
    """Return the answers of the baseline and of every candidate, by name."""
    voices = material.voices
    read = {voice.name: _read(voice, material) for voice in voices if voice.recorded}
    asked = await _ask([voice for voice in voices if not voice.recorded], material.prompts, asker)
    return read | asked


def _read(voice: Voice, material: Material) -> Answers:
    found = read_answers(
        voice.config, material.prompts, folder=material.folder, data=material.data, everything=material.unsampled
    )
    missing = [
        Failure(
            stage=STAGE,
            kind="missing_answer",
            message="no recorded answer",
            model=voice.name,
            language=language,
            prompt_id=prompt,
        )
        for language, prompt in found.missing
    ]
    return Answers(generations=found.generations, failures=tuple(missing), notes=found.notes)


async def _ask(voices: Sequence[Voice], prompts: Sequence[Prompt], asker: Asker) -> dict[str, Answers]:
    """Ask all voices turn by turn: one round a turn, all models in each round."""
    said: dict[tuple[str, Key], list[tuple[str, Response]]] = {(v.name, p.key): [] for v in voices for p in prompts}
    failures: dict[str, list[Failure]] = {voice.name: [] for voice in voices}
    for turn in range(max((turns(prompt) for prompt in prompts), default=0)):
        tasks = [
            (voice, prompt, _task(voice, prompt, [response.text for _, response in said[voice.name, prompt.key]]))
            for voice in voices
            for prompt in prompts
            if turn < turns(prompt) and len(said[voice.name, prompt.key]) == turn
        ]
        fetched = await asker.ask([task for _, _, task in tasks])
        faults = {failed.task.key: failed.failure for failed in fetched.failures}
        for voice, prompt, task in tasks:
            if task.key in fetched.responses:
                said[voice.name, prompt.key].append((task.key, fetched.responses[task.key]))
            elif task.key in faults:
                failures[voice.name].append(
                    replace(faults[task.key], model=voice.name, prompt_id=prompt.id, language=prompt.language)
                )
    return {voice.name: _collect(voice, prompts, said, failures[voice.name]) for voice in voices}


def _task(voice: Voice, prompt: Prompt, earlier: Sequence[str]) -> Task:
    system = voice.system(prompt.language)
    messages = conversation(prompt, earlier, system=system)
    request = Request(model=voice.model_for(prompt), messages=messages, sampling=voice.sampling)
    return Task(request=request, key=request.key(), stage=STAGE, language=prompt.language, model=voice.name)


def _collect(
    voice: Voice,
    prompts: Sequence[Prompt],
    said: Mapping[tuple[str, Key], Sequence[tuple[str, Response]]],
    failures: Sequence[Failure],
) -> Answers:
    done = [(prompt, said[voice.name, prompt.key]) for prompt in prompts]
    return Answers(
        generations=tuple(
            _generation(voice, prompt, replies) for prompt, replies in done if len(replies) == turns(prompt)
        ),
        failures=tuple(failures),
    )


def _generation(voice: Voice, prompt: Prompt, replies: Sequence[tuple[str, Response]]) -> Generation:
    *before, (key, last) = replies
    return Generation(
        model=voice.name,
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
