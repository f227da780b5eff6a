"""Conclude: from answers and verdicts to outcomes, estimates, the run directory and the report. Asks nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from evalkit.errors import RunError
from evalkit.files import write_all
from evalkit.judging.manipulation import flag_answers
from evalkit.judging.outcomes import outcomes, rates
from evalkit.judging.validate import parse_definition
from evalkit.language.check import check_answers
from evalkit.records import Generation, LanguageCheck, RunData
from evalkit.report.page import render_page
from evalkit.run import RESULTS_SCHEMA, write_run
from evalkit.settings import StatisticsSettings
from evalkit.stages.answers import Answers
from evalkit.stages.load import Matchup, Workload
from evalkit.stages.provenance import RunInfo, judge_summary, summary
from evalkit.stages.scorers import score
from evalkit.stages.verdicts import JudgeReplies
from evalkit.statistics.analysis import analyze


def check(generations: Sequence[Generation], languages: Sequence[str]) -> dict[tuple[str, str], LanguageCheck]:
    """Identify the language of every answer, language by language."""
    by_language: dict[str, list[Generation]] = defaultdict(list)
    for generation in generations:
        by_language[generation.language].append(generation)
    return {
        generation.key: found
        for language, own in by_language.items()
        for generation, found in zip(
            own, check_answers([item.text for item in own], language, languages=languages), strict=True
        )
    }


def conclude(
    workload: Workload,
    matchup: Matchup,
    answers: Mapping[str, Answers],
    judged: JudgeReplies,
    circumstances: RunInfo,
) -> RunData:
    """Return one matchup's run, results and all; `circumstances.suite` becomes run.yaml."""
    candidate, baseline = answers[matchup.candidate.name], answers[matchup.baseline.name]
    checks = [check(own.generations, workload.suite.languages) for own in (candidate, baseline)]
    found = outcomes(judged.comparisons, judged.verdicts)
    failures = (*candidate.failures, *baseline.failures, *judged.failures)
    run = RunData(
        suite=circumstances.suite,
        candidate=matchup.candidate.name,
        baseline=matchup.baseline.name,
        prompts=workload.prompts,
        candidate_answers=candidate.generations,
        baseline_answers=baseline.generations,
        candidate_checks=checks[0],
        baseline_checks=checks[1],
        verdicts=judged.verdicts,
        outcomes=tuple(found),
        failures=failures,
        results={},
    )
    head = {
        "schema": RESULTS_SCHEMA,
        "suite": summary(workload, matchup),
        "candidate": run.candidate,
        "baseline": run.baseline,
        "judges": [judge_summary(judge, matchup, judged.verdicts) for judge in workload.judges],
        "incomplete": circumstances.incomplete,
        "notes": [*workload.notes, *candidate.notes, *baseline.notes],
    }
    tail = {"cost": dict(circumstances.cost), "provenance": dict(circumstances.provenance)}
    return estimated(
        run, head=head, tail=tail, settings=workload.suite.statistics, slices=workload.suite.prompts.slices
    )


def estimated(
    run: RunData,
    *,
    head: Mapping[str, Any],
    tail: Mapping[str, Any],
    settings: StatisticsSettings,
    slices: Sequence[str],
) -> RunData:
    """Return the run with results computed from its records; `head` and `tail` are what records do not hold."""
    texts: Mapping[str, str] = run.suite.get("definitions", {})
    definitions = {name: parse_definition(text, name=f"{name}.yaml") for name, text in texts.items()}
    analysis = analyze(
        prompts=run.prompts,
        candidate_answers=run.candidate_answers,
        baseline_answers=run.baseline_answers,
        candidate_checks=run.candidate_checks,
        baseline_checks=run.baseline_checks,
        verdicts=run.verdicts,
        outcomes=run.outcomes,
        settings=settings,
        candidate=run.candidate,
        baseline=run.baseline,
        slices=slices,
        rates=rates(definitions, run.verdicts),
        scores=score(settings.profile_scorers, {"candidate": run.candidate_answers, "baseline": run.baseline_answers}),
    )
    checks = {
        "candidate": flag_answers(run.candidate_answers, run.candidate_checks),
        "baseline": flag_answers(run.baseline_answers, run.baseline_checks),
    }
    failures = [asdict(failure) for failure in run.failures]
    results = {**head, **analysis.to_results(), "checks": checks, "failures": failures, **tail}
    fields = {name: getattr(run, name) for name in RunData.__dataclass_fields__}
    return RunData(**{**fields, "results": results})


def save(folder: Path, run: RunData) -> Path:
    """Write the run directory and its report; return the report's path."""
    write_run(folder, run)
    report = folder / "report.html"
    write_all({report: render_page(run)}, error=RunError, option="--out")
    return report
