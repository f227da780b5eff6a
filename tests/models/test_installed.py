"""The provider of an installed package: found by its name, run by a suite; and what is said of bad ones."""

from __future__ import annotations

import json
import re
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest

from evalkit.cli.main import main
from evalkit.errors import InputError
from evalkit.models import GROUP, provider_class, provider_names
from evalkit.run import read_run
from tests.conftest import ROOT
from tests.distributions import install


def pipeline(task: str, name: str):
    """Stands for transformers' function of that name: says which model answers, and to what."""
    assert task == "text-generation"

    def generate(messages, *, max_new_tokens):
        assert max_new_tokens == 32
        reply = {"role": "assistant", "content": f"{name} says: {messages[-1]['content']}"}
        return [{"generated_text": [*messages, reply]}]

    return generate


@pytest.fixture
def documented(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install the package of docs/providers.md."""
    section = (ROOT / "docs/providers.md").read_text("utf-8").split("\n## Add a provider\n")[1]
    project = tomllib.loads(re.findall(r"```toml\n(.*?)```", section, re.DOTALL)[0])
    code = re.findall(r"```python\n(.*?)```", section, re.DOTALL)[0]
    (module,) = project["tool"]["setuptools"]["py-modules"]
    install(tmp_path / "site", "evalkit_pipe", GROUP, project["project"]["entry-points"][GROUP], {module: code})
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.setitem(sys.modules, "transformers", SimpleNamespace(pipeline=pipeline))


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """Three prompts, recorded answers to compare with, and the judge that needs no model."""
    for name, key in (("prompts", "prompt"), ("old", "answer")):
        rows = [{"id": str(i), key: f"Tell me in English about the number {i}."} for i in range(3)]
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    path = tmp_path / "tiny.yaml"
    path.write_text(
        "name: tiny\nlanguages: [en]\nprompts: {files: prompts.jsonl}\nbaseline: recorded/old.jsonl\n"
        "generation: {max_tokens: 32}\njudges: [offline-rules]\n"
    )
    return path


@pytest.mark.usefixtures("documented")
def test_a_suite_runs_through_the_documented_provider(suite: Path, tmp_path: Path) -> None:
    """It is an engine in this process: a cost cap needs no price for it, and its answers are kept."""
    words = ["run", str(suite), "--candidate", "new=pipe/org/tiny", "--max-cost", "1", "--out", str(tmp_path / "out")]
    assert main([*words, "--ledger", str(tmp_path / "ledger.sqlite")]) == 0
    run = read_run(tmp_path / "out")
    assert {answer.text for answer in run.candidate_answers} == {
        f"org/tiny says: Tell me in English about the number {i}." for i in range(3)
    }
    assert len(run.outcomes) == 3
    rows = {row["model"]: row for row in run.results.to_json()["cost"]["by_model"]}
    assert (rows["new"]["requests"], rows["new"]["cost"]) == (3, 0.0)


@pytest.mark.usefixtures("documented")
def test_a_mistyped_name_is_told_the_installed_one(suite: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "pipe" in provider_names()
    assert main(["run", str(suite), "--candidate", "pipes/org/tiny"]) == 2
    assert "did you mean 'pipe'?" in capsys.readouterr().err
    with pytest.raises(InputError, match="did you mean 'pipe'"):
        provider_class("pipes")


def test_a_name_that_ships_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path / "site", "impostor", GROUP, {"canary": "no_such_module:Provider"}, {})
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    provider_class.cache_clear()
    assert provider_class("canary").__module__ == "evalkit.models.canary"


def test_a_bad_provider_is_named_with_what_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "class Provider:\n    free = True\n    async def ask(self, request): ...\n"
    declared = {"gone": "no_such_module:Provider", "half": "half_a_provider:Provider"}
    install(tmp_path / "site", "bad", GROUP, declared, {"half_a_provider": text})
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    with pytest.raises(InputError, match="provider gone: cannot be imported: ModuleNotFoundError"):
        provider_class("gone")
    with pytest.raises(InputError) as caught:
        provider_class("half")
    assert [problem.message for problem in caught.value.problems] == [
        "its class has no 'in_process'",
        "its class has no 'close'",
    ]


def test_helpers_are_no_providers() -> None:
    assert "http" not in provider_names()
    with pytest.raises(InputError, match="unknown provider 'http'"):
        provider_class("http")


def test_recorded_answers_cannot_judge(suite: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--judge", "aya-pairwise", "--judge-model", "recorded/old.jsonl"]
    assert main(["run", str(suite), "--candidate", "canary/constant", *words]) == 2
    assert "is a file of answers and cannot be asked" in capsys.readouterr().err
