"""Every way to find runs: by path, by a name below `reports/`, or all runs below a folder."""

from __future__ import annotations

from collections.abc import Sequence
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


def find_runs(named: Sequence[Path], *, reports: Path = REPORTS) -> list[Path]:
    """Return the run directories that are named, and those below a named folder that holds no run itself.

    Args:
        named: paths, or names of folders below `reports`.
        reports: where runs go by default.

    Raises:
        RunError: a folder holds no run.
    """
    runs: list[Path] = []
    for name in named:
        path = reports / name if not name.exists() and (reports / name).exists() else name
        if (path / "results.json").is_file() or not path.is_dir():
            runs.append(path)
            continue
        below = sorted(file.parent for file in path.rglob("results.json"))
        if not below:
            hint = "name run directories: folders that hold a results.json"
            raise RunError(Problem(where=str(path), message="holds no run", hint=hint))
        runs += below
    return list(dict.fromkeys(runs))


def _runs_in(folder: Path) -> list[str]:
    """Names, below `folder`, of the runs that it or its folders hold."""
    files = (*folder.glob("*/results.json"), *folder.glob("*/*/results.json"))
    return sorted(file.parent.relative_to(folder).as_posix() for file in files)
