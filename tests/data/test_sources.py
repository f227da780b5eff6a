"""Which files a path with `{language}` stands for: the same ones for prompts, recorded answers and imports."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalkit.data.sources import files_of, find_file
from evalkit.errors import DataError
from evalkit.stages.import_runs import read_sources

FILES = (
    *("top/de.csv", "top/fr.csv", "votes-de.csv", "de/t-de.csv", "de/t-fr.csv", "deep/de/t.csv"),
    *("deep/zh_Hant/t.csv", "a[1]*/de.csv", "a1x/fr.csv", "one.csv"),
)


@pytest.mark.parametrize(
    ("template", "files"),
    [
        ("top/{language}.csv", {"de": "top/de.csv", "fr": "top/fr.csv"}),
        ("votes-{language}.csv", {"de": "votes-de.csv"}),
        ("{language}/t-{language}.csv", {"de": "de/t-de.csv"}),
        ("deep/{language}/t.csv", {"de": "deep/de/t.csv", "zh_Hant": "deep/zh_Hant/t.csv"}),
        ("deep/../top/{language}.csv", {"de": "top/de.csv", "fr": "top/fr.csv"}),
        ("a[1]*/{language}.csv", {"de": "a[1]*/de.csv"}),
        ("one.csv", {"": "one.csv"}),
        ("gone/{language}.csv", {}),
    ],
)
@pytest.mark.parametrize("start", ["working directory", "root"])
def test_a_path_stands_for_the_same_files_everywhere(
    template: str, files: dict[str, str], start: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    monkeypatch.chdir(tmp_path)
    path = str(tmp_path / template) if start == "root" else template
    found = {tag: file.resolve().relative_to(tmp_path).as_posix() for file, tag in files_of(path, Path())}
    assert found == files
    if files:
        imported = {source.language or "": source.data.decode() for source in read_sources(path)}
        assert imported == files
    else:
        with pytest.raises(DataError, match="no such file"):
            read_sources(path)


def test_a_folder_where_a_file_should_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "de.csv").mkdir()
    with pytest.raises(DataError, match="a folder stands where a file should"):
        read_sources(str(tmp_path / "{language}.csv"))


def test_the_ending_that_the_path_names_comes_first_of_all_endings(tmp_path: Path) -> None:
    for ending in ("jsonl", "parquet", "csv"):
        (tmp_path / f"de.{ending}").write_text("")
    found = find_file("{language}.csv", tmp_path, "de", any_format=True)
    assert found is not None
    assert found[0].name == "de.csv"
