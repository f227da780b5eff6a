"""Judge: every pair by every judge in both orders, asked again where the reply could not be read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from evalkit.calls import Fault, Request
from evalkit.dispatch import Fetched, Task
from evalkit.dispatch.stopping import failures_allowed
from evalkit.errors import ErrorBudgetError, JudgeError, Problem
from evalkit.judging.asking import ask
from evalkit.judging.definition import JudgeKind
from evalkit.judging.pairing import pair
from evalkit.judging.reading import Unreadable, read
from evalkit.judging.reward import settle
from evalkit.records import Comparison, Failure, Verdict
from evalkit.stages.answer import Answers
from evalkit.stages.asker import Asker
from evalkit.stages.english import Told, in_english, translation_tasks
from evalkit.stages.load import Bench, Material, Pairing

STAGE = "judge"
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What the judges said of one candidate."""

    comparisons: tuple[Comparison, ...]
    verdicts: tuple[Verdict, ...]
    failures: tuple[Failure, ...]
    """One for each comparison without a verdict that was asked for."""


@dataclass(frozen=True, slots=True)
class _Case:
    """One comparison, before the judge that hears it."""

    pairing: Pairing
    bench: Bench
    comparison: Comparison
    keys: tuple[str, ...] = ()
    """Of the translations in it, in the ledger."""


async def judge(material: Material, answers: Mapping[str, Answers], asker: Asker) -> tuple[Judged, ...]:
    """Return comparisons, verdicts and failures of each pairing."""
    cases = [case for pairing in material.pairings for case in _cases(material, answers, pairing)]
    cases, pending, failures = await _told(cases, asker)
    verdicts: dict[_CaseKey, Verdict] = {}
    attempt = 0
    while pending:
        asks = [(case, _requests(case, attempt)) for case in pending]
        fetched = await asker.ask([task for _, tasks in asks for task in tasks])
        faults = {failed.task.key: failed.failure for failed in fetched.failures}
        pending = []
        for case, tasks in asks:
            heard = _hear(case, tasks, fetched, attempt)
            if isinstance(heard, Verdict):
                verdicts[_key(case)] = heard
                failures.pop(_key(case), None)
            elif isinstance(heard, Unreadable):
                failures[_key(case)] = _unreadable(case, heard, attempt)
                if attempt < case.bench.definition.retries:
                    pending.append(case)
            else:
                own = [faults[task.key] for task in tasks if task.key in faults]
                _stop_if_impossible(case, own)
                failures |= {_key(case): _failed(case, failure) for failure in own}
        attempt += 1
    _stop_over_budget(asker, failures.values(), len(cases))
    definitions = {bench.name: bench.definition for bench in material.benches}
    return tuple(
        Judged(
            comparisons=tuple(case.comparison for case in cases if case.pairing is pairing),
            verdicts=tuple(
                settle(
                    definitions,
                    [case.comparison for case in cases if case.pairing is pairing],
                    [verdict for case, verdict in _in_order(cases, verdicts) if case.pairing is pairing],
                )
            ),
            failures=tuple(failure for case, failure in _in_order(cases, failures) if case.pairing is pairing),
        )
        for pairing in material.pairings
    )


async def first_tasks(material: Material, answers: Mapping[str, Answers], asker: Asker) -> list[Task]:
    """Return the first round's requests of every pairing and judge, as `judge` would send them.

    `asker` only reads the ledger; an answer whose translation it lacks stands for it.
    """
    cases = [case for pairing in material.pairings for case in _cases(material, answers, pairing)]
    told, _, _ = await _told(cases, asker)
    translations = [task for case in cases for task in translation_tasks(case.bench, case.comparison)]
    return [*translations, *(task for case in told for task in _requests(case, 0))]


_CaseKey = tuple[str, str, str, str, str, str, int]


def _key(case: _Case) -> _CaseKey:
    one = case.comparison
    pair = (case.pairing.candidate.name, case.pairing.baseline.name)
    return (*pair, one.judge, one.prompt.language, one.prompt.id, one.order.value, one.repeat)


def _in_order(cases: Sequence[_Case], found: Mapping[_CaseKey, T]) -> list[tuple[_Case, T]]:
    """Return what was found in the order of the cases, so that a resumed run writes what an unbroken one would."""
    return [(case, found[_key(case)]) for case in cases if _key(case) in found]


def _cases(material: Material, answers: Mapping[str, Answers], pairing: Pairing) -> list[_Case]:
    own, baseline = answers[pairing.candidate.name].generations, answers[pairing.baseline.name].generations
    return [
        _Case(pairing, bench, comparison)
        for bench in material.benches
        for comparison in pair(
            material.prompts, own, baseline, judge=bench.name, definition=bench.definition, repeats=bench.repeats
        )
    ]


async def _told(cases: Sequence[_Case], asker: Asker) -> tuple[list[_Case], list[_Case], dict[_CaseKey, Failure]]:
    """Return the cases as their judges read them, those of them that can be put to a judge, and why others cannot."""
    translations = await in_english([(case.bench, case.comparison) for case in cases], asker)
    everything: list[_Case] = []
    ready: list[_Case] = []
    failures: dict[_CaseKey, Failure] = {}
    for case in cases:
        told = translations.tell(case.bench, case.comparison)
        if isinstance(told, Told):
            as_read = replace(case, comparison=told.comparison, keys=told.keys)
            ready.append(as_read)
            everything.append(as_read)
            continue
        everything.append(case)
        if told is not None:
            failures[_key(case)] = _failed(case, replace(told, stage=STAGE))
    return everything, ready, failures


def _requests(case: _Case, attempt: int) -> list[Task]:
    def task(request: Request) -> Task:
        return Task(
            request=request,
            key=request.key(),
            stage=STAGE,
            language=case.comparison.prompt.language,
            model=case.bench.name,
        )

    return [
        task(item) for item in ask(case.bench.definition, case.comparison, models=case.bench.models, attempt=attempt)
    ]


def _hear(case: _Case, tasks: Sequence[Task], fetched: Fetched, attempt: int) -> Verdict | Unreadable | None:
    """Return what the replies say; None where one of them did not come."""
    responses = [fetched.responses[task.key] for task in tasks if task.key in fetched.responses]
    if len(responses) < len(tasks):
        return None
    keys = [*case.keys, *(task.key for task in tasks)]
    heard = read(case.bench.definition, case.comparison, responses, keys=keys, attempt=attempt)
    if isinstance(heard, Unreadable) and heard.kind == "no_logprobs":
        hint = "put a model that gives log probabilities under it (--judge-model), or choose another judge"
        raise JudgeError(Problem(where=f"judge {case.bench.name}", message=heard.message, hint=hint))
    return heard


def _stop_if_impossible(case: _Case, failures: Sequence[Failure]) -> None:
    """Stop where the server refuses what the judge cannot do without: it would refuse every other comparison too."""
    if case.bench.definition.kind not in {JudgeKind.PROBABILITY, JudgeKind.REWARD}:
        return
    for failure in failures:
        if failure.kind == Fault.UNSUPPORTED:
            hint = "put a model that gives log probabilities under it (--judge-model), or choose another judge"
            raise JudgeError(Problem(where=f"judge {case.bench.name}", message=failure.message, hint=hint))


def _stop_over_budget(asker: Asker, failures: Collection[Failure], cases: int) -> None:
    """Call the run incomplete where replies came and too many of them hold no verdict, as where they do not come."""
    budget = asker.limits.error_budget
    if asker.asks and asker.stopped is None and len(failures) > failures_allowed(budget, cases):
        last = next(reversed(list(failures)))
        asker.stopped = ErrorBudgetError(
            f"{len(failures)} of {cases} verdicts are missing, more than the error budget of {budget:.1%} allows; "
            f"the last one: {last.kind}: {last.message}\n"
            "    everything fetched is kept: mend the judge and run again, or raise `error_budget` in the suite"
        )


def _unreadable(case: _Case, heard: Unreadable, attempt: int) -> Failure:
    return _failed(case, Failure(stage=STAGE, kind=heard.kind, message=heard.message, attempts=attempt + 1))


def _failed(case: _Case, failure: Failure) -> Failure:
    """Say whose failure it is."""
    one = case.comparison
    return replace(
        failure,
        model=case.bench.name,
        prompt_id=one.prompt.id,
        language=one.prompt.language,
        order=one.order.value,
    )
