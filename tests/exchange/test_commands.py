"""Import and export as a person runs them: all or nothing, and an imported run is a run."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from evalkit.cli.main import main
from tests.exchange.conftest import table_rows

Capture = pytest.CaptureFixture[str]


def write_table(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("imported")
    table = write_table(folder / "t.jsonl", table_rows())
    assert main(["import", "table", str(table), "--candidate", "new", "--out", str(folder / "run")]) == 0
    return folder / "run"


def test_the_published_figures_come_out_of_the_command(shared: Path, tmp_path: Path, capsys: Capture) -> None:
    """Three real annotation files → three runs whose estimates are the leaderboard's, to 1e-6 points."""
    folder = shared / "alpacaeval2"
    files = sorted((folder / "raw").glob("*.json"))
    assert main(["import", "alpaca-eval", *map(str, files), "--out", str(tmp_path / "runs"), "--json"]) == 0
    runs = json.loads(capsys.readouterr().out)["runs"]
    published = {row["model"]: row for row in csv.DictReader((folder / "leaderboard.csv").read_text().splitlines())}
    for path, run in zip(files, runs, strict=True):
        wanted = {("win_rate", "en"), ("win_rate", "macro")}
        rows = [r for r in run["results"]["estimates"] if (r["metric"], r["language"]) in wanted and r["slice"] is None]
        assert len(rows) == 2
        for row in rows:
            assert 100 * row["value"] == pytest.approx(float(published[path.stem]["win_rate"]), abs=1e-6)
            assert 100 * row["standard_error"] == pytest.approx(float(published[path.stem]["standard_error"]), abs=1e-6)
        assert (Path(run["directory"]) / "report.html").is_file()


def test_an_imported_run_is_a_run(imported: Path, tmp_path: Path, capsys: Capture) -> None:
    """Analyze, report, show, compare, check, leaderboard and export work on it; analyzing again changes no figure."""
    before = json.loads((imported / "results.json").read_text())
    run = str(imported)
    assert main(["analyze", run]) == 0
    after = json.loads((imported / "results.json").read_text())
    assert after["estimates"] == before["estimates"]
    assert after["suite"] == before["suite"]
    assert main(["report", run, "--format", "md"]) == 0
    assert main(["show", run, "de-0"]) == 0
    assert main(["compare", run, run]) == 0
    assert main(["check", run, "--against", run]) == 0
    assert main(["leaderboard", run, "--output", str(tmp_path / "index.html")]) == 0
    assert main(["export", run, "--format", "csv", "--output", str(tmp_path / "e.csv")]) == 0
    capsys.readouterr()


def test_imports_are_all_or_nothing(tmp_path: Path, capsys: Capture) -> None:
    """One bad row in the second file: nothing is written, and file, row and value are named."""
    row = {"instruction": "q", "output_1": "a", "output_2": "b", "generator_1": "old", "preference": 1.5}
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(json.dumps([{**row, "generator_2": "x"}]))
    bad.write_text(
        json.dumps([{**row, "generator_2": "y"}, {**row, "instruction": "r", "generator_2": "y", "preference": 7}])
    )
    out = tmp_path / "runs"
    assert main(["import", "alpaca-eval", str(good), str(bad), "--out", str(out)]) == 2
    assert "bad.json, row 2: preference is 7, outside 1..2" in capsys.readouterr().err
    assert not out.exists()


def test_a_language_in_the_path_reads_every_language(tmp_path: Path) -> None:
    for tag in ("deu", "fra"):
        rows = [{key: value for key, value in row.items() if key != "language"} for row in table_rows()[:8]]
        write_table(tmp_path / "votes" / tag / "t.jsonl", [{**row, "prompt": f"{tag} {row['id']}"} for row in rows])
    pattern = str(tmp_path / "votes" / "{language}" / "t.jsonl")
    assert main(["import", "table", pattern, "--out", str(tmp_path / "run")]) == 0
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert results["suite"]["prompts"] == {"de": 4, "fr": 4}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["import", "table", "nothing.jsonl", "--out", "x"], "nothing.jsonl: no such file"),
        (["import", "table", "no/{language}.jsonl", "--out", "x"], "no/{language}.jsonl: no such file"),
        (["import", "table", "nothing.jsonl", "--out", "x", "--columns", "winner"], "'winner' is not OURS=THEIRS"),
        (["export", "nowhere", "--format", "csv", "--output", "x.csv"], "not a run directory"),
        (
            ["export", "nowhere", "--format", "csv", "--output", "x", "--min-margin", "2"],
            "'2' is not a share from 0 to 1",
        ),
        (["import", "arena-votes", "x", "--out", "y", "--per-language", "0"], "'0' is not a whole number from 1 on"),
        (["import", "arena-votes", "x", "--out", "y", "--languages", "english"], "'english' is not a language tag"),
    ],
)
def test_bad_commands_end_with_exit_code_2(
    words: list[str], message: str, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    assert message in capsys.readouterr().err


def test_export_says_what_it_wrote_and_left_out(imported: Path, tmp_path: Path, capsys: Capture) -> None:
    words = ["export", str(imported), "--format", "preference-pairs", "--output", str(tmp_path / "new" / "p.jsonl")]
    assert main(words) == 0
    shown = capsys.readouterr()
    assert shown.out.strip() == str(tmp_path / "new" / "p.jsonl")
    assert "16 pairs; 8 left out: no winner" in shown.err
    assert main([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["notes"][0] == "16 pairs"
    assert main(["export", str(imported), "--format", "dataset", "--output", str(tmp_path / "set")]) == 0
    assert (tmp_path / "set" / "README.md").is_file()
