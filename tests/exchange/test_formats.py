"""A format is one file: put into its folder, the command line knows it, with its help."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from evalkit.cli.main import main
from evalkit.exchange import exporters, importers
from evalkit.shipped import formats

Capture = pytest.CaptureFixture[str]

IMPORTER = '''\
"""my-votes: one line a vote, the winner's name."""

from evalkit.exchange.assemble import Import, Judgment, prompt, run_of
from evalkit.exchange.reader import FieldReader


def read(sources, options):
    votes = [line for source in sources for line in source.data.decode().split()]
    judgments = [
        Judgment(where=f"line {n}", prompt=prompt(str(n), "en", ""), judge="people", preference=float(vote == "new"))
        for n, vote in enumerate(votes, 1)
    ]
    whole = Import(format="my-votes", suite="votes", candidate="new", baseline="old", judgments=judgments, both_orders=False)
    return (run_of(whole, FieldReader()),)
'''
EXPORTER = '''\
"""my-names: the two models, one a line."""

from evalkit.exchange.exporters import Export


def write(run, options):
    return Export(files={"": f"{run.candidate}\\n{run.baseline}\\n".encode()}, notes=("2 names",))
'''

Add = Callable[[object, str, str], None]


@pytest.fixture
def add(tmp_path: Path) -> Iterator[Add]:
    """Put a file into the folder of importers or exporters, for one test."""
    added: list[tuple[list[str], str]] = []

    def put(package: object, name: str, text: str) -> None:
        folder = tmp_path / name
        folder.mkdir()
        (folder / f"{name}.py").write_text(text)
        path: list[str] = package.__path__  # type: ignore[attr-defined]
        path.append(str(folder))
        added.append((path, str(folder)))

    yield put
    for path, folder in added:
        path.remove(folder)
    for name in ("evalkit.exchange.importers.my_votes", "evalkit.exchange.exporters.my_names"):
        sys.modules.pop(name, None)


def test_a_new_importer_and_a_new_exporter_are_one_file_each(add: Add, tmp_path: Path, capsys: Capture) -> None:
    add(importers, "my_votes", IMPORTER)
    add(exporters, "my_names", EXPORTER)
    for command, line in (("import", "my-votes "), ("export", "my-names ")):
        with pytest.raises(SystemExit):
            main([command, "--help"])
        assert line in capsys.readouterr().out
    (tmp_path / "votes.txt").write_text("new old new new\n")
    run = str(tmp_path / "run")
    assert main(["import", "my-votes", str(tmp_path / "votes.txt"), "--out", run]) == 0
    assert main(["export", run, "--format", "my-names", "--output", str(tmp_path / "names")]) == 0
    assert (tmp_path / "names").read_text() == "new\nold\n"


def test_every_format_says_what_it_is() -> None:
    for package in ("evalkit.exchange.importers", "evalkit.exchange.exporters"):
        for name, line in formats(package).items():
            assert line, name
            assert not line.startswith(name), "the name stands before it already"


def test_help_reads_the_files_of_the_formats_and_imports_none() -> None:
    code = (
        "import sys\nfrom evalkit.cli.main import main\n"
        "for command in ('import', 'export'):\n"
        "    try: main([command, '--help'])\n    except SystemExit: pass\n"
        "print(sorted(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for module in ("evalkit.exchange.importers.table", "evalkit.exchange.exporters.csv", "numpy", "pyarrow", "yaml"):
        assert f"'{module}'" not in done.stderr


def test_docs_list_every_format() -> None:
    text = (Path(__file__).parent.parent.parent / "docs" / "exchange.md").read_text()
    for package in ("evalkit.exchange.importers", "evalkit.exchange.exporters"):
        for name in formats(package):
            assert f"`{name}`" in text
