"""Runs by name: what `evalkit run` stored in the working directory can be named without its path."""

from __future__ import annotations

from pathlib import Path

from evalkit.errors import Problem, RunError, did_you_mean

REPORTS = Path("reports")
"""Where runs go by default, in the working directory."""


def find_run(named: Path, *, reports: Path = REPORTS) -> Path:
    """Return the folder of a run that is named by its path, or bare, as `evalkit run` puts it below `reports`.

    Args:
        named: a path, `SUITE/CANDIDATE`, or `SUITE` where only one run of it is stored.
        reports: where runs go by default.

    Raises:
        RunError: nothing of that name holds a run, or several do.
    """
    for folder in (named, reports / named):
        if folder.is_file() or (folder / "results.json").is_file():
            return folder
    for folder in (named, reports / named):
        below = _runs_in(folder)
        if len(below) == 1:
            return folder / below[0]
        if below:
            hint = f"one of: {', '.join(str(named / name) for name in below)}"
            raise RunError(Problem(where=str(named), message=f"holds {len(below)} runs", hint=hint))
    hint = "name a run directory: the folder that holds results.json"
    if stored := _runs_in(reports):
        hint += f"; of those in {reports}: {did_you_mean(str(named), stored)}"
    raise RunError(Problem(where=str(named), message="not a run directory", hint=hint))


def find_folder(named: Path, *, reports: Path = REPORTS) -> Path:
    """Return a folder of runs: the path where there is one, else that name below `reports` where there is one."""
    return reports / named if not named.exists() and (reports / named).exists() else named


def _runs_in(folder: Path) -> list[str]:
    """Names, below `folder`, of the runs that it or its folders hold."""
    files = (*folder.glob("*/results.json"), *folder.glob("*/*/results.json"))
    return sorted(file.parent.relative_to(folder).as_posix() for file in files)
