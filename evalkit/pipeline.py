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
from typing import Any

from evalkit.dispatch import Limits
from evalkit.errors import IncompleteError, InterruptedRunError
from evalkit.ledger import Ledger
from evalkit.pricing import Pricing
from evalkit.records import Generation, RunData, Verdict
from evalkit.run import read_results, read_run
from evalkit.stages.answer import Answers, generate
from evalkit.stages.asker import Asker, Progress
from evalkit.stages.circumstances import Circumstances
from evalkit.stages.describe import costs, provenance, resolved
from evalkit.stages.load import Material, Pairing, load, preflight
from evalkit.stages.looks import looks, precise
from evalkit.stages.plan import Plan
from evalkit.stages.plan import plan as make_plan
from evalkit.stages.stamp import leave, stamp_of, up_to_date
from evalkit.stages.verdict import Judged, judge
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

    runs: tuple[tuple[Path, Mapping[str, Any]], ...] = field(repr=False)
    """Run directory and results, one per pairing; none where the job ended before the report."""
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
        async with Asker(ledger=ledger, limits=job.limits, pricing=pricing_of(whole), progress=progress) as asker:
            if job.until is not Until.ANSWERS and not all(voice.recorded for voice in whole.voices):
                await preflight(whole)
            if job.until is Until.ANSWERS:
                await generate(whole, asker)
                return _finished((), asker)
            for material in looks(whole):
                answers = await generate(material, asker)
                judged = await judge(material, answers, asker)
                if asker.stopped or precise(material, judged):
                    break
    if job.until is Until.VERDICTS:
        return _finished((), asker)
    runs = [
        _report(job, material, pairing, answers, heard, asker, started)
        for pairing, heard in zip(material.pairings, judged, strict=True)
    ]
    return replace(_finished(runs, asker), leaderboard=_leaderboard(job, material, runs))


def _leaderboard(job: Job, material: Material, runs: Sequence[tuple[Path, Mapping[str, Any]]]) -> Path | None:
    """Write `index.html` above the runs of several candidates; None where there is one, or no judge to rank by."""
    if len(runs) < 2 or not material.benches:  # noqa: PLR2004
        return None
    from evalkit.stages.boards import leaderboard, publish

    page = runs_folder(job, material) / "index.html"
    (first, *_) = publish(leaderboard([folder for folder, _ in runs], page=page, ignore=frozenset({"sampling"})), page)
    return first


def _report(
    job: Job,
    material: Material,
    pairing: Pairing,
    answers: Mapping[str, Answers],
    judged: Judged,
    asker: Asker,
    started: str,
) -> tuple[Path, Mapping[str, Any]]:
    """Write one pairing's run directory and report, unless it is there and made from just this."""
    folder = run_folder(job, material, pairing)
    own = (answers[pairing.candidate.name], answers[pairing.baseline.name])
    stamp = stamp_of(resolved(material, pairing, out=folder, provenance={}), material.digest, own, judged)
    if asker.stopped is None and up_to_date(folder, stamp):
        return folder, read_results(folder)
    from evalkit.stages.conclude import conclude, save

    circumstances = _circumstances(job, material, pairing, answers, judged, asker, folder, started)
    run = conclude(material, pairing, answers, judged, circumstances)
    save(folder, run)
    leave(folder, stamp)
    return folder, run.results


async def plan(job: Job) -> Plan:
    """Say what `run` would ask, what of it the ledger holds, and what the rest would cost; ask nothing.

    Raises:
        InputError: something must be mended first.
    """
    material = load(job.loaded, data=job.data, shard=job.shard)
    with Ledger(job.ledger) as ledger:
        return await make_plan(material, ledger, pricing_of(material))


def analyze(folder: Path) -> RunData:
    """Estimate again from a run directory alone, with this version's statistics and report.

    Raises:
        RunError: the run directory is damaged.
    """
    from evalkit.stages.conclude import estimated, save

    old = read_run(folder)
    suite = parse_suite(_text(folder / "run.yaml"), name="run.yaml", folder=folder).suite
    derived = {"estimates", "counts", "claims", "length", "orders", "agreement", "profile", "checks", "failures"}
    ends = {"cost", "provenance"}
    new = estimated(
        old,
        head={key: value for key, value in old.results.items() if key not in derived | ends},
        tail={key: old.results[key] for key in ends},
        settings=suite.statistics,
        slices=suite.prompts.slices,
    )
    save(folder, new)
    return new


def runs_folder(job: Job, material: Material) -> Path:
    """Return the folder of a job's runs."""
    return job.out or Path("reports") / material.suite.name


def run_folder(job: Job, material: Material, pairing: Pairing) -> Path:
    """Return where a pairing's run goes: one pairing takes `out` itself, several a folder each below it."""
    base = runs_folder(job, material)
    name = pairing.candidate.name.replace("/", "_")
    if material.suite.each:
        name += f"-vs-{pairing.baseline.name.replace('/', '_')}"
    return base if job.out and len(material.pairings) == 1 else base / name


def pricing_of(material: Material) -> Pricing:
    """Return the shipped price table with the suite's own prices before it."""
    own = [(voice.model, voice.config.price) for voice in material.voices if voice.config.price]
    own += [
        (bench.models["judge"], config.model.price)
        for bench, config in zip(material.benches, material.suite.judges, strict=True)
        if config.model and config.model.price
    ]
    return Pricing(own)


def _circumstances(
    job: Job,
    material: Material,
    pairing: Pairing,
    answers: Mapping[str, Answers],
    judged: Judged,
    asker: Asker,
    folder: Path,
    started: str,
) -> Circumstances:
    own = [answers[pairing.candidate.name], answers[pairing.baseline.name]]
    records: list[Generation | Verdict] = [*own[0].generations, *own[1].generations, *judged.verdicts]
    where_from = provenance(
        command=job.command, started=started, finished=_now(), seed=material.suite.statistics.seed, records=records
    )
    return Circumstances(
        suite=resolved(material, pairing, out=folder, provenance=where_from),
        cost=costs(asker.spending),
        provenance=where_from,
        incomplete=_incomplete(material, own, judged, asker, where_from["command"]),
    )


def _incomplete(
    material: Material, answers: Sequence[Answers], judged: Judged, asker: Asker, command: str
) -> dict[str, Any] | None:
    """Say what is missing because the run stopped early; None where it did not."""
    if asker.stopped is None:
        return None
    return {
        "reason": str(asker.stopped).partition("\n")[0],
        "missing_answers": sum(len(material.prompts) - len(own.generations) for own in answers),
        "missing_verdicts": len(judged.comparisons) - len(judged.verdicts),
        "command": command,
    }


def _finished(runs: Sequence[tuple[Path, Mapping[str, Any]]], asker: Asker) -> Finished:
    return Finished(runs=tuple(runs), asked=asker.asked, reused=asker.reused, paid=asker.paid, stopped=asker.stopped)


def _text(path: Path) -> str:
    return path.read_text("utf-8")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
