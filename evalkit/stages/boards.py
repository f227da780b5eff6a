"""Boards: from run directories to comparisons, gates and leaderboards. Asks nothing."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from evalkit.boards.arena import with_people
from evalkit.boards.comparable import BASELINE, gaps, groups, require_comparable, warnings
from evalkit.boards.compare import Paired, compare_runs
from evalkit.boards.gate import (
    Gate,
    Test,
    overall,
    regression_tests,
    threshold_rows,
    threshold_tests,
    unpaired_tests,
)
from evalkit.boards.leaderboard import Entry, board_csv, build, document, markdown
from evalkit.boards.scores import align, by_language_and_macro
from evalkit.errors import Problem, RunError, did_you_mean
from evalkit.files import write_all
from evalkit.records import MACRO, PANEL, json_ready
from evalkit.report.leaderboard import render_leaderboard
from evalkit.results import Results
from evalkit.run import read_results, read_run, read_scores
from evalkit.settings import StatisticsSettings
from evalkit.stages.arena import ArenaVotes
from evalkit.statistics.figures import Floats
from evalkit.statistics.ratings import connected
from evalkit.suite import load_suite
from evalkit.words import WIN_RATE


def compare_folders(first: Path, second: Path, *, judge: str | None = None, allow_mixed: bool = False) -> Paired:
    """Compare two runs in pairs.

    Raises:
        RunError: a folder is no run, or the runs are not comparable and `allow_mixed` is not given.
    """
    runs = [read_run(folder) for folder in (first, second)]
    if not allow_mixed:
        named = [(str(folder), run.results) for folder, run in zip((first, second), runs, strict=True)]
        require_comparable(named)
    chosen = None if judge is None else chosen_judge(runs[0].results, judge)
    return compare_runs(runs[0], runs[1], settings_of(first), judge=chosen)


def check_run(
    folder: Path,
    *,
    against: Path | None = None,
    max_regression: float = 0.03,
    min_win_rate: float | None = None,
    metric: str = WIN_RATE,
    judge: str | None = None,
    per_language: bool = False,
    allow_mixed: bool = False,
) -> Gate:
    """Hold a run against a stored run, a threshold, or both.

    Args:
        folder: the run of the candidate to release.
        against: the stored run.
        max_regression: largest loss of win rate allowed, as a fraction.
        min_win_rate: smallest win rate allowed, as a fraction.
        metric: what the threshold is of; a regression is always of the win rate.
        judge: whose verdicts; the panel, or the only judge, where None.
        per_language: whether every language must pass.
        allow_mixed: whether runs that are not comparable are compared all the same.

    Raises:
        RunError: a folder is no run, the runs are not comparable, or there is nothing to compare.
    """
    results = read_results(folder)
    chosen = chosen_judge(results, judge)
    tests: list[Test] = []
    notes = warnings(results.candidate, results, chosen)
    stored = None
    if against is not None:
        stored = read_results(against)
        notes += warnings(stored.candidate, stored, chosen)
        if not allow_mixed:
            require_comparable([(str(folder), results), (str(against), stored)])
        tests += _regression(
            folder, against, chosen, max_regression=max_regression, per_language=per_language, notes=notes
        )
    if min_win_rate is not None:
        rows = threshold_rows(results, metric=metric, judge=chosen, per_language=per_language)
        tests += threshold_tests(rows, min_win_rate=min_win_rate, floored=metric == WIN_RATE)
    level = settings_of(folder).confidence_level
    return Gate(
        candidate=results.candidate,
        against=stored.candidate if stored else None,
        metric=metric if min_win_rate is not None else WIN_RATE,
        answer=overall(tests),
        confidence_level=level,
        tests=tuple(tests),
        notes=tuple(notes),
    )


def _regression(
    folder: Path, against: Path, judge: str, *, max_regression: float, per_language: bool, notes: list[str]
) -> list[Test]:
    """Test the paired difference, or the unpaired one where the scores of a run are not at hand."""
    settings = settings_of(folder)
    columns = [read_scores(each) for each in (folder, against)]
    if columns[0] is None or columns[1] is None:
        notes.append("Not paired: a run has no outcomes.parquet beside its results.json, so this is slower to tell.")
        rows = [
            threshold_rows(read_results(each), metric=WIN_RATE, judge=judge, per_language=per_language)
            for each in (folder, against)
        ]
        return unpaired_tests(rows[0], rows[1], max_regression=max_regression)
    scores = align([columns[0], columns[1]], judge)
    both = np.isfinite(scores.values[0] + scores.values[1])
    if not both.any():
        raise RunError(Problem(where=str(folder), message=f"nothing to compare: no pair was scored in {against} too"))
    weights = scores.weights(n_resamples=0, seed=0)
    figures = [
        by_language_and_macro(np.where(both, values, np.nan), scores.languages, weights, settings.weights)
        for values in (scores.values[0] - scores.values[1], *scores.values)
    ]
    kept = [i for i in range(len(scores.languages)) if both[:, i].any()] if per_language else [len(scores.languages)]
    sides: tuple[Floats, Floats] = (figures[1].values[kept], figures[2].values[kept])
    return regression_tests(
        figures[0].select(kept),
        [(*scores.languages, MACRO)[index] for index in kept],
        max_regression=max_regression,
        confidence_level=settings.confidence_level,
        sides=sides,
    )


def chosen_judge(results: Results, judge: str | None) -> str:
    """Return the judge to read: the one asked for, the panel, or the only one.

    Raises:
        RunError: there is no such judge.
    """
    names = [item.name for item in results.judges]
    names += [PANEL] if len(names) > 1 else []
    if judge is None:
        if not names:
            raise RunError(Problem(message="the run has no judge: there is nothing to compare"))
        return names[-1]
    if judge not in names:
        raise RunError(Problem(where="--judge", message=f"no judge {judge!r}", hint=did_you_mean(judge, names)))
    return judge


def settings_of(folder: Path) -> StatisticsSettings:
    """Return the statistics settings of a run; the defaults where only its results.json is there."""
    path = (folder if folder.is_dir() else folder.parent) / "run.yaml"
    if not path.is_file():
        return StatisticsSettings()
    return load_suite(path).suite.statistics


def leaderboard(
    folders: Sequence[Path],
    *,
    page: Path,
    judge: str | None = None,
    allow_mixed: bool = False,
    ignore: frozenset[str] = frozenset(),
    people: ArenaVotes | None = None,
) -> tuple[dict[str, Any], ...]:
    """Return the board of many runs, or with `allow_mixed` one board for each group that is comparable.

    Args:
        folders: run directories; results.json alone is enough, with wider rank sets.
        page: where the page will be, so that links to the reports are relative to it.
        judge: whose verdicts; the panel, or the only judge, where None.
        allow_mixed: whether runs that are not comparable are shown apart rather than refused.
        ignore: aspects that may differ (sampling, where one suite sets it per candidate); a note names them.
        people: an arena's votes, for ratings on their scale.

    Raises:
        RunError: a folder is no run, or the runs are not comparable.
    """
    if not folders:
        raise RunError(Problem(where="leaderboard", message="no runs", hint="name run directories"))
    results = [read_results(folder) for folder in folders]
    ignore |= {BASELINE} if _graph(results) else frozenset()
    if not allow_mixed:
        named = [(str(folder), each) for folder, each in zip(folders, results, strict=True)]
        require_comparable(named, ignore=ignore)
    found = groups(results, ignore=ignore)
    boards = []
    for members in found:
        told: list[str] = []
        if len(found) > 1:
            others = [other for other in found if other is not members]
            told = [
                f"Shown apart from others, whose {gap}." for gap in gaps(results[others[0][0]], results[members[0]])
            ]
        entries = _entries([folders[i] for i in members], [results[i] for i in members], page.parent)
        chosen = chosen_judge(entries[0].results, judge)
        differing = {gap.aspect for i in members for gap in gaps(results[members[0]], results[i])} & (
            ignore - {BASELINE}
        )
        told += [f"Candidates differ in {aspect}, as the suite says." for aspect in sorted(differing)]
        told += [note for entry in entries for note in warnings(entry.name, entry.results, chosen)]
        board = build(entries, settings_of(folders[members[0]]), judge=chosen, notes=told)
        if people is not None:
            placed = {entry.name: people.place(folders[i], chosen) for entry, i in zip(entries, members, strict=True)}
            board = json_ready(with_people(board, placed, note=people.note))
        boards.append(board)
    return tuple(boards)


def publish(boards: Sequence[Mapping[str, Any]], page: Path) -> list[Path]:
    """Write the page of each board, and its downloads beside it; return the pages."""
    pages = []
    for number, board in enumerate(boards, 1):
        own = page if number == 1 else page.with_stem(f"{page.stem}-{number}")
        files = {own: render_leaderboard(board), own.with_suffix(".json"): document(board)}
        files |= {own.with_suffix(".csv"): board_csv(board), own.with_suffix(".md"): markdown(board)}
        write_all(files, option="--output")
        pages.append(own)
    return pages


def _graph(results: Sequence[Results]) -> bool:
    """Return whether candidates met each other or several baselines, so that ratings tie them together."""
    meetings = [(each.candidate, each.baseline) for each in results]
    return len({baseline for _, baseline in meetings}) > 1 and connected(meetings)


def _entries(folders: Sequence[Path], results: Sequence[Results], page: Path) -> list[Entry]:
    """Return the entries; runs of one candidate against one baseline are told apart by their folders."""
    times = Counter((each.candidate, each.baseline) for each in results)
    found = []
    for folder, each in zip(folders, results, strict=True):
        place = folder if folder.is_dir() else folder.parent
        alone = times[each.candidate, each.baseline] == 1
        label = each.candidate if alone else f"{each.candidate} ({place.name})"
        report = place / "report.html"
        link = quote(Path(os.path.relpath(report, page)).as_posix()) if report.is_file() else None
        found.append(Entry(name=label, results=each, link=link, columns=read_scores(place)))
    return found


def find_runs(paths: Sequence[Path]) -> list[Path]:
    """Return the run directories named, and those below a named folder that is none itself.

    Raises:
        RunError: a path holds no run.
    """
    found: list[Path] = []
    for path in paths:
        if (path / "results.json").is_file() or not path.is_dir():
            found.append(path)
            continue
        below = sorted(each.parent for each in path.rglob("results.json"))
        if not below:
            hint = "name run directories: folders that hold a results.json"
            raise RunError(Problem(where=str(path), message="holds no run", hint=hint))
        found += below
    return list(dict.fromkeys(found))
