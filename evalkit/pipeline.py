"""The story of a run, from a suite to a report.

    suite.yaml ─► prompts ─► answers ─► verdicts ─► outcomes ─► estimates ─► report.html
                             └─ asked through the ledger ─┘     └───── pure, derived again each time ─────┘

Everything that costs money or GPU time is a request whose response is written once, under the hash of its content, to
the ledger. So a run that was killed goes on where it was, a run that is complete asks nothing, and a changed judge asks
again: none of these has any code of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from evalkit.dispatch import Limits
from evalkit.dispatch.session import Progress, Session
from evalkit.errors import IncompleteError, InterruptedRunError
from evalkit.freshness import fingerprint, fingerprint_of, mark_fresh, up_to_date
from evalkit.ledger import Ledger
from evalkit.pricing import Pricing
from evalkit.records import Generation, Verdict
from evalkit.results import Incomplete, Results, RunData
from evalkit.run import read_results, read_run
from evalkit.stages.answers import Answers, generate
from evalkit.stages.load import Matchup, Workload, load, preflight
from evalkit.stages.plan import Plan
from evalkit.stages.plan import plan as make_plan
from evalkit.stages.precision import looks, precise
from evalkit.stages.provenance import RunInfo, costs, provenance, resolved
from evalkit.stages.verdicts import JudgeReplies, ask_judges
from evalkit.suite import LoadedSuite, parse_suite


class Until(StrEnum):
    """How far to go."""

    ANSWERS = "answers"
    VERDICTS = "verdicts"
    REPORT = "report"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What one command asks for."""

    loaded: LoadedSuite
    ledger: Path
    limits: Limits
    out: Path | None = None
    """Run directory; `reports/<suite>/<candidate>` where None."""
    data: Path | None = None
    """Folder with the suite's published files, for work without a network."""
    shard: tuple[int, int] | None = None
    """(i, n): ask only the i-th of n parts of the prompts, to fill a ledger that is merged later."""
    until: Until = Until.REPORT
    command: Sequence[str] = ()
    """The words of the command, for the report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What a job left behind."""

    runs: tuple[tuple[Path, Results], ...] = field(repr=False)
    """Run directory and results, one per matchup; none where the job ended before the report."""
    asked: int
    """Requests answered now."""
    reused: int
    """Requests that the ledger had answered before."""
    paid: float | None
    """US dollars spent now; None where a price is unknown."""
    leaderboard: Path | None = None
    """Page that ranks the candidates, where there are several."""
    stopped: IncompleteError | InterruptedRunError | None
    """Why something is missing: raise it once the figures are shown."""


async def run(job: Job, *, progress: Progress) -> Finished:
    """Load, generate, judge, analyze, report.

    Raises:
        InputError: something must be mended first; nothing that was answered is lost.
    """
    started = _now()
    whole = load(job.loaded, data=job.data, shard=job.shard)
    with Ledger(job.ledger) as ledger:
        async with Session(ledger=ledger, limits=job.limits, pricing=pricing_of(whole), progress=progress) as session:
            if job.until is not Until.ANSWERS and not all(answerer.recorded for answerer in whole.answerers):
                await preflight(whole)
            if job.until is Until.ANSWERS:
                await generate(whole, session)
                return _finished((), session)
            for workload in looks(whole):
                answers = await generate(workload, session)
                judged = await ask_judges(workload, answers, session)
                if session.stopped or precise(workload, judged):
                    break
    if job.until is Until.VERDICTS:
        return _finished((), session)
    runs = [
        _report(job, workload, matchup, answers, heard, session, started)
        for matchup, heard in zip(workload.matchups, judged, strict=True)
    ]
    return replace(_finished(runs, session), leaderboard=_leaderboard(job, workload, runs))


def _leaderboard(job: Job, workload: Workload, runs: Sequence[tuple[Path, Results]]) -> Path | None:
    """Write `index.html` above the runs of several candidates; None where there is one, or no judge to rank by."""
    if len(runs) < 2 or not workload.judges:  # noqa: PLR2004
        return None
    from evalkit.stages.boards import leaderboard, publish

    page = runs_folder(job, workload) / "index.html"
    (first, *_) = publish(leaderboard([folder for folder, _ in runs], page=page, ignore=frozenset({"sampling"})), page)
    return first


def _report(
    job: Job,
    workload: Workload,
    matchup: Matchup,
    answers: Mapping[str, Answers],
    judged: JudgeReplies,
    session: Session,
    started: str,
) -> tuple[Path, Results]:
    """Write one matchup's run directory and report, unless it is there and made from just this."""
    folder = run_folder(job, workload, matchup)
    sides = (answers[matchup.candidate.name], answers[matchup.baseline.name])
    made_from = fingerprint(
        suite=resolved(workload, matchup, out=folder),
        prompts=workload.digest,
        answers=[answer for side in sides for answer in side.generations],
        verdicts=judged.verdicts,
        failures=[failure for part in (*sides, judged) for failure in part.failures],
        notes=[*workload.notes, *(note for side in sides for note in side.notes)],
    )
    if session.stopped is None and up_to_date(folder, made_from):
        return folder, read_results(folder)
    from evalkit.stages.results import build_results, save

    info = _run_info(job, workload, matchup, answers, judged, session, folder, started)
    run = build_results(workload, matchup, answers, judged, info)
    save(folder, run)
    if session.stopped is None:
        mark_fresh(folder, made_from)
    return folder, run.results


async def plan(job: Job) -> Plan:
    """Say what `run` would ask, what of it the ledger holds, and what the rest would cost; ask nothing.

    Raises:
        InputError: something must be mended first.
    """
    workload = load(job.loaded, data=job.data, shard=job.shard)
    with Ledger(job.ledger) as ledger:
        return await make_plan(workload, ledger, pricing_of(workload))


def analyze(folder: Path) -> RunData:
    """Estimate again from a run directory alone, with this version's statistics and report.

    Raises:
        RunError: the run directory is damaged.
    """
    from evalkit.stages.results import estimate, save

    old = read_run(folder)
    suite = parse_suite(_text(folder / "run.yaml"), name="run.yaml", folder=folder).suite
    new = estimate(old, old.results.description, settings=suite.statistics, slices=suite.prompts.slices)
    save(folder, new)
    if new.results.incomplete is None:
        mark_fresh(folder, fingerprint_of(new))
    return new


def runs_folder(job: Job, workload: Workload) -> Path:
    """Return the folder of a job's runs."""
    return job.out or Path("reports") / workload.suite.name


def run_folder(job: Job, workload: Workload, matchup: Matchup) -> Path:
    """Return where a matchup's run goes: one matchup takes `out` itself, several a folder each below it."""
    base = runs_folder(job, workload)
    name = matchup.candidate.name.replace("/", "_")
    if workload.suite.each:
        name += f"-vs-{matchup.baseline.name.replace('/', '_')}"
    return base if job.out and len(workload.matchups) == 1 else base / name


def pricing_of(workload: Workload) -> Pricing:
    """Return the shipped price table with the suite's own prices before it."""
    own = [(answerer.model, answerer.config.price) for answerer in workload.answerers if answerer.config.price]
    own += [
        (judge.models["judge"], config.model.price)
        for judge, config in zip(workload.judges, workload.suite.judges, strict=True)
        if config.model and config.model.price
    ]
    return Pricing(own)


def _run_info(
    job: Job,
    workload: Workload,
    matchup: Matchup,
    answers: Mapping[str, Answers],
    judged: JudgeReplies,
    session: Session,
    folder: Path,
    started: str,
) -> RunInfo:
    own = [answers[matchup.candidate.name], answers[matchup.baseline.name]]
    records: list[Generation | Verdict] = [*own[0].generations, *own[1].generations, *judged.verdicts]
    where_from = provenance(
        command=job.command, started=started, finished=_now(), seed=workload.suite.statistics.seed, records=records
    )
    return RunInfo(
        suite=resolved(workload, matchup, out=folder, provenance=where_from),
        cost=costs(session.spending),
        provenance=where_from,
        incomplete=_incomplete(workload, own, judged, session, where_from.command),
    )


def _incomplete(
    workload: Workload, answers: Sequence[Answers], judged: JudgeReplies, session: Session, command: str
) -> Incomplete | None:
    """Say what is missing because the run stopped early; None where it did not."""
    if session.stopped is None:
        return None
    return Incomplete(
        reason=str(session.stopped).partition("\n")[0],
        missing_answers=sum(len(workload.prompts) - len(own.generations) for own in answers),
        missing_verdicts=len(judged.comparisons) - len(judged.verdicts),
        command=command,
    )


def _finished(runs: Sequence[tuple[Path, Results]], session: Session) -> Finished:
    return Finished(
        runs=tuple(runs), asked=session.asked, reused=session.reused, paid=session.paid, stopped=session.stopped
    )


def _text(path: Path) -> str:
    return path.read_text("utf-8")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
