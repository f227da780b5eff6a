"""The leaderboard job as any CI runs it: from an empty folder to a published one, with files as its only state."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "examples" / "leaderboard.sh"
WORKFLOW = ROOT / ".github" / "workflows" / "leaderboard.yml"
SMALL = ("--languages", "de,en", "--limit", "12")
OLDER = f"older=recorded/{ROOT}/suites/quickstart/answers/sprout-1/{{language}}.jsonl"


def job(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the script in `folder` as a CI would: nothing but PATH and the folder."""
    env = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(folder), "LANG": "C.UTF-8"}
    return subprocess.run(["sh", str(SCRIPT), *words], cwd=folder, env=env, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[subprocess.CompletedProcess[str]]]:
    """Two jobs, one after the other: the first candidate is released, the second is held against it."""
    folder = tmp_path_factory.mktemp("job")
    first = job(folder, "quickstart", "sprout-2", *SMALL)
    second = job(folder, "quickstart", "older", "--candidate", OLDER, *SMALL)
    return folder, [first, second]


def test_the_first_job_releases_and_publishes(worked: tuple[Path, list[subprocess.CompletedProcess[str]]]) -> None:
    folder, (first, _) = worked
    assert first.returncode == 0, first.stderr
    assert (folder / "results" / "quickstart" / "released").read_text() == "sprout-2\n"


def test_the_second_job_is_held_against_the_released_candidate(
    worked: tuple[Path, list[subprocess.CompletedProcess[str]]],
) -> None:
    """The older answers are worse: never passed, and so never released; the board shows them all the same."""
    folder, (_, second) = worked
    assert second.returncode in {1, 4}, second.stderr
    assert "against sprout-2" in second.stdout
    assert (folder / "results" / "quickstart" / "released").read_text() == "sprout-2\n"
    assert (folder / "public" / "check.xml").read_text().startswith("<?xml")


def test_the_published_folder_holds_together(worked: tuple[Path, list[subprocess.CompletedProcess[str]]]) -> None:
    """Every link of the board leads to a file of the folder, and no path of this machine is in any of them."""
    folder, _ = worked
    public = folder / "public"
    board = json.loads((public / "index.json").read_text())
    assert {row["candidate"] for row in board["rows"]} == {"sprout-2", "older"}
    for row in board["rows"]:
        assert (public / row["link"]).is_file()
        assert row["link"] in (public / "index.html").read_text()
    for path in public.rglob("*"):
        if path.is_file():
            assert str(folder).encode() not in path.read_bytes(), path


def test_results_json_in_git_is_enough_to_rebuild_the_board(
    worked: tuple[Path, list[subprocess.CompletedProcess[str]]], tmp_path: Path
) -> None:
    from evalkit.cli.main import main

    folder, _ = worked
    for path in (folder / "results").rglob("results.json"):
        kept = tmp_path / "git" / path.relative_to(folder)
        kept.parent.mkdir(parents=True)
        kept.write_bytes(path.read_bytes())
    assert main(["leaderboard", str(tmp_path / "git"), "--output", str(tmp_path / "index.html")]) == 0
    again = json.loads((tmp_path / "index.json").read_text())
    board = json.loads((folder / "public" / "index.json").read_text())
    figures = [[(row["candidate"], row["estimates"]) for row in each["rows"]] for each in (again, board)]
    assert figures[0] == figures[1]


def test_a_job_with_wrong_input_publishes_nothing(tmp_path: Path) -> None:
    done = job(tmp_path, "quickstrat", "x")
    assert done.returncode == 2
    assert "quickstart" in done.stderr
    assert not (tmp_path / "public").exists()


def test_the_workflow_passes_a_linter() -> None:
    """Against the schema of GitHub's workflows, by a linter that carries it."""
    linter = Path(sys.executable).parent / "check-jsonschema"
    command = [str(linter), "--builtin-schema", "vendor.github-workflows", str(WORKFLOW)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_workflow_runs_the_script_that_is_tested_here() -> None:
    import yaml

    steps = yaml.safe_load(WORKFLOW.read_text())["jobs"]["evaluate"]["steps"]
    assert any("examples/leaderboard.sh" in step.get("run", "") for step in steps)
    assert all("${{" not in step.get("run", "") for step in steps)  # inputs go through the environment: no injection
