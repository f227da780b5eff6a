"""Files are written whole or not at all, and a place that cannot be written is named with what to do."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from evalkit import files
from evalkit.cli.main import main
from evalkit.errors import InputError, RunError
from evalkit.files import write_all, write_whole

Capture = pytest.CaptureFixture[str]


def test_files_are_written_with_their_folders(tmp_path: Path) -> None:
    write_all({tmp_path / "a" / "b" / "text": "ä\ud83d", tmp_path / "bytes": b"\0"})
    assert (tmp_path / "a" / "b" / "text").read_bytes() == "ä?".encode()
    assert (tmp_path / "bytes").read_bytes() == b"\0"
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["bytes", "text"]


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when the process is stopped between writing and renaming."""
    path = tmp_path / "file"
    path.write_text("old")

    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="Input/output error"):
        write_whole(path, "new")
    assert path.read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    path = tmp_path / "file" / "below"
    with pytest.raises(RunError) as raised:
        write_all({path: ""}, error=RunError, option="--out")
    (problem,) = raised.value.problems
    assert problem.where == str(path)
    assert problem.message == "cannot write: a file stands where a folder should"
    assert problem.hint == "choose another --out"
    with pytest.raises(InputError, match="choose another path"):
        write_all({path: ""})


def test_a_full_disk_asks_to_run_again_and_not_for_another_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    def fail(path: Path, *_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(files, "write_whole", fail)
    table = tmp_path / "t.csv"
    table.write_text("id,winner\n1,tie\n")
    assert main(["import", "table", str(table), "--out", str(tmp_path / "run")]) == 3
    assert "make room, then run the same command again" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (["compare", "RUN", "RUN", "--output", "PLACE"], "--output"),
        (["check", "RUN", "--against", "RUN", "--junit", "PLACE"], "--junit"),
        (["export", "RUN", "--format", "csv", "--output", "PLACE"], "--output"),
        (["report", "RUN", "--output", "PLACE"], "--output"),
        (["leaderboard", "RUN", "--output", "PLACE.html"], "--output"),
    ],
)
def test_every_command_names_the_place_and_the_option(
    words: list[str], option: str, tmp_path: Path, capsys: Capture
) -> None:
    (tmp_path / "file").write_text("in the way")
    table = tmp_path / "t.csv"
    table.write_text("id,winner,candidate,baseline\n" + "".join(f"{n},candidate,a,b\n" for n in range(4)))
    run = tmp_path / "run"
    assert main(["import", "table", str(table), "--out", str(run)]) == 0
    stands_for = {"RUN": str(run), "PLACE": str(tmp_path / "file" / "x")}
    named = [stands_for.get(word.removesuffix(".html"), word) for word in words]
    named = [f"{new}.html" if old.endswith(".html") else new for old, new in zip(words, named, strict=True)]
    capsys.readouterr()
    assert main(named) == 2
    error = capsys.readouterr().err
    assert f"{tmp_path / 'file' / 'x'}" in error
    assert "cannot write: a file stands where a folder should" in error
    assert f"choose another {option}" in error
