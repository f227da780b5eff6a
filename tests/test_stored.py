"""A run is found by its path or by its bare name, and a name that fits none is answered with one that does."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalkit.cli.main import main
from evalkit.errors import RunError
from evalkit.stored import find_run


def store(*folders: str) -> None:
    """Make folders that hold a run, as far as finding goes."""
    for folder in folders:
        Path(folder).mkdir(parents=True)
        (Path(folder) / "results.json").write_text("{}")


def test_a_run_is_found_by_its_path_or_by_its_name_below_reports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store("reports/quick/new", "reports/other/new", "reports/other/old", "elsewhere")
    for named, folder in (
        ("elsewhere", "elsewhere"),
        ("reports/quick/new", "reports/quick/new"),
        ("quick/new", "reports/quick/new"),
        ("quick", "reports/quick/new"),
        ("elsewhere/results.json", "elsewhere/results.json"),
    ):
        assert find_run(Path(named)) == Path(folder)
    with pytest.raises(RunError, match="holds 2 runs\n    one of: other/new, other/old"):
        find_run(Path("other"))


def test_a_folder_of_the_working_directory_that_is_no_run_does_not_hide_one_below_reports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("quick").mkdir()
    store("reports/quick/new")
    assert find_run(Path("quick")) == Path("reports/quick/new")


def test_a_run_that_is_not_there_is_answered_with_one_of_a_close_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RunError, match=r"nowhere: not a run directory\n    name a run .* results.json$"):
        find_run(Path("nowhere"))
    store("reports/quick/new-2")
    with pytest.raises(RunError, match=r"of those in reports: did you mean 'quick/new-2'\?"):
        find_run(Path("quick/new-3"))


def test_every_command_takes_the_name_of_a_stored_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for command in (
        ["run", "quickstart", "--languages", "en,de"],
        ["analyze", "quickstart"],
        ["report", "quickstart/sprout-2", "--share"],
        ["show", "quickstart", "de-sleep"],
        ["compare", "quickstart", "quickstart/sprout-2"],
        ["check", "quickstart", "--against", "quickstart/sprout-2", "--max-regression", "50"],
        ["export", "quickstart", "--format", "csv", "--output", "out.csv"],
        ["leaderboard", "quickstart", "--output", "board.html"],
    ):
        assert main(command) == 0, capsys.readouterr().err
    assert Path("reports/quickstart/sprout-2/report-share.html").is_file()
    assert main(["show", "quickstart/sprout-3", "de-sleep"]) == 2
    assert "did you mean 'quickstart/sprout-2'?" in capsys.readouterr().err
