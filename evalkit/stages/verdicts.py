"""Judge: every pair by every judge in both orders, asked again where the reply could not be read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from evalkit.calls import Fault, Request
from evalkit.dispatch import Fetched, Task
from evalkit.dispatch.session import Session
from evalkit.dispatch.stop import failures_allowed
from evalkit.errors import ErrorBudgetError, JudgeError, Problem
from evalkit.judging.definition import JudgeKind
from evalkit.judging.outcomes import settle
from evalkit.judging.pairing import pair
from evalkit.judging.question import ask
from evalkit.judging.reading import Unreadable, read
from evalkit.records import Comparison, Failure, Verdict
from evalkit.stages.answers import Answers
from evalkit.stages.load import Matchup, ResolvedJudge, Workload
from evalkit.stages.translate_answers import TranslatedComparison, in_english, translation_tasks

STAGE = "judge"
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeReplies:
    """What the judges said of one candidate."""

    comparisons: tuple[Comparison, ...]
    verdicts: tuple[Verdict, ...]
    failures: tuple[Failure, ...]
    """One for each comparison without a verdict that was asked for."""


@dataclass(frozen=True, slots=True)
class _Case:
    """One comparison, before the judge that hears it."""

    matchup: Matchup
    judge: ResolvedJudge
    comparison: Comparison
    keys: tuple[str, ...] = ()
    """Of the translations in it, in the ledger."""


async def ask_judges(workload: Workload, answers: Mapping[str, Answers], session: Session) -> tuple[JudgeReplies, ...]:
    """Return comparisons, verdicts and failures of each matchup."""
    cases = [case for matchup in workload.matchups for case in _cases(workload, answers, matchup)]
    cases, pending, failures = await _told(cases, session)
    verdicts: dict[_CaseKey, Verdict] = {}
    attempt = 0
    while pending:
        asks = [(case, _requests(case, attempt)) for case in pending]
        fetched = await session.ask([task for _, tasks in asks for task in tasks])
        faults = {failed.task.key: failed.failure for failed in fetched.failures}
        pending = []
        for case, tasks in asks:
            heard = _hear(case, tasks, fetched, attempt)
            if isinstance(heard, Verdict):
                verdicts[_key(case)] = heard
                failures.pop(_key(case), None)
            elif isinstance(heard, Unreadable):
                failures[_key(case)] = _unreadable(case, heard, attempt)
                if attempt < case.judge.definition.retries:
                    pending.append(case)
            else:
                own = [faults[task.key] for task in tasks if task.key in faults]
                _stop_if_impossible(case, own)
                failures |= {_key(case): _failed(case, failure) for failure in own}
        attempt += 1
    _stop_over_budget(session, failures.values(), len(cases))
    definitions = {judge.name: judge.definition for judge in workload.judges}
    return tuple(
        JudgeReplies(
            comparisons=tuple(case.comparison for case in cases if case.matchup is matchup),
            verdicts=tuple(
                settle(
                    definitions,
                    [case.comparison for case in cases if case.matchup is matchup],
                    [verdict for case, verdict in _in_order(cases, verdicts) if case.matchup is matchup],
                )
            ),
            failures=tuple(failure for case, failure in _in_order(cases, failures) if case.matchup is matchup),
        )
        for matchup in workload.matchups
    )


async def first_tasks(workload: Workload, answers: Mapping[str, Answers], session: Session) -> list[Task]:
    """Return the first round's requests of every matchup and judge, as `judge` would send them.

    `asker` only reads the ledger; an answer whose translation it lacks stands for it.
    """
    cases = [case for matchup in workload.matchups for case in _cases(workload, answers, matchup)]
    told, _, _ = await _told(cases, session)
    translations = [task for case in cases for task in translation_tasks(case.judge, case.comparison)]
    return [*translations, *(task for case in told for task in _requests(case, 0))]


_CaseKey = tuple[str, str, str, str, str, str, int]


def _key(case: _Case) -> _CaseKey:
    one = case.comparison
    pair = (case.matchup.candidate.name, case.matchup.baseline.name)
    return (*pair, one.judge, one.prompt.language, one.prompt.id, one.order.value, one.repeat)


def _in_order(cases: Sequence[_Case], found: Mapping[_CaseKey, T]) -> list[tuple[_Case, T]]:
    """Return what was found in the order of the cases, so that a resumed run writes what an unbroken one would."""
    return [(case, found[_key(case)]) for case in cases if _key(case) in found]


def _cases(workload: Workload, answers: Mapping[str, Answers], matchup: Matchup) -> list[_Case]:
    own, baseline = answers[matchup.candidate.name].generations, answers[matchup.baseline.name].generations
    return [
        _Case(matchup, judge, comparison)
        for judge in workload.judges
        for comparison in pair(
            workload.prompts, own, baseline, judge=judge.name, definition=judge.definition, repeats=judge.repeats
        )
    ]


async def _told(cases: Sequence[_Case], session: Session) -> tuple[list[_Case], list[_Case], dict[_CaseKey, Failure]]:
    """Return the cases as their judges read them, those of them that can be put to a judge, and why others cannot."""
    translations = await in_english([(case.judge, case.comparison) for case in cases], session)
    everything: list[_Case] = []
    ready: list[_Case] = []
    failures: dict[_CaseKey, Failure] = {}
    for case in cases:
        told = translations.tell(case.judge, case.comparison)
        if isinstance(told, TranslatedComparison):
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
            model=case.judge.name,
        )

    return [
        task(item) for item in ask(case.judge.definition, case.comparison, models=case.judge.models, attempt=attempt)
    ]


def _hear(case: _Case, tasks: Sequence[Task], fetched: Fetched, attempt: int) -> Verdict | Unreadable | None:
    """Return what the replies say; None where one of them did not come."""
    responses = [fetched.responses[task.key] for task in tasks if task.key in fetched.responses]
    if len(responses) < len(tasks):
        return None
    keys = [*case.keys, *(task.key for task in tasks)]
    heard = read(case.judge.definition, case.comparison, responses, keys=keys, attempt=attempt)
    if isinstance(heard, Unreadable) and heard.kind == "no_logprobs":
        hint = "put a model that gives log probabilities under it (--judge-model), or choose another judge"
        raise JudgeError(Problem(where=f"judge {case.judge.name}", message=heard.message, hint=hint))
    return heard


def _stop_if_impossible(case: _Case, failures: Sequence[Failure]) -> None:
    """Stop where the server refuses what the judge cannot do without: it would refuse every other comparison too."""
    if case.judge.definition.kind not in {JudgeKind.PROBABILITY, JudgeKind.REWARD}:
        return
    for failure in failures:
        if failure.kind == Fault.UNSUPPORTED:
            hint = "put a model that gives log probabilities under it (--judge-model), or choose another judge"
            raise JudgeError(Problem(where=f"judge {case.judge.name}", message=failure.message, hint=hint))


def _stop_over_budget(session: Session, failures: Collection[Failure], cases: int) -> None:
    """Call the run incomplete where replies came and too many of them hold no verdict, as where they do not come."""
    budget = session.limits.error_budget
    if session.asks and session.stopped is None and len(failures) > failures_allowed(budget, cases):
        last = next(reversed(list(failures)))
        session.stopped = ErrorBudgetError(
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
        model=case.judge.name,
        prompt_id=one.prompt.id,
        language=one.prompt.language,
        order=one.order.value,
    )
