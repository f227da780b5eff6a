"""`evalkit judges` lists, shows and checks; a canary can be a candidate."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from evalkit.calls import CallError, Kind, Message, Model, Request
from evalkit.cli.main import main
from evalkit.errors import InputError
from evalkit.models import provider_class
from evalkit.shipped import shipped, shipped_names


def test_list_names_every_judge_that_ships(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["judges"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in shipped_names("judges"))
    assert main(["judges", "list", "--json"]) == 0
    assert [row["name"] for row in json.loads(capsys.readouterr().out)] == shipped_names("judges")


def test_show_prints_the_file_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["judges", "show", "xalpaca"]) == 0
    assert capsys.readouterr().out == (shipped("judges") / "xalpaca.yaml").read_text("utf-8")


@pytest.mark.parametrize("name", shipped_names("judges"))
@pytest.mark.parametrize("language", ["ar", "yo"])
def test_check_renders_a_sample_pair_in_any_language(
    name: str, language: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["judges", "check", name, "--language", language, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["sound"]
    (questions,) = document["questions"].values()
    assert all(question["messages"][-1]["content"] for question in questions)
    assert main(["judges", "check", name, "--language", language]) == 0
    assert f"{name}: sound" in capsys.readouterr().out


def test_check_tells_what_is_wrong_with_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(
        "kind: label\nuser: '{{ materiel }}'\nreply: {verdict: [A, B], reason: text}\nlabels: {A: 1, B: 0}\n"
    )
    assert main(["judges", "check", str(file)]) == 2
    told = capsys.readouterr().err
    assert "mine.yaml:2" in told
    assert "did you mean 'material'?" in told
    assert "stands before the reason" in told


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["check", "xalpacca"], "did you mean 'xalpaca'?"),
        (["check"], "say which judge"),
        (["show", "."], "folder"),
        (["check", "xalpaca", "--language", "zz"], "not a language tag"),
    ],
)
def test_bad_words_are_told(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["judges", *words]) == 2
    assert message in capsys.readouterr().err


def test_a_canary_gives_one_answer_to_everything() -> None:
    async def answers(name: str) -> set[str]:
        bird = provider_class("canary")(Model.parse(f"canary/{name}"), timeout=1)
        asked = [Request(model=Model.parse(f"canary/{name}"), messages=(Message("user", text),)) for text in "ab"]
        found = {(await bird.ask(request)).text for request in asked}
        with pytest.raises(CallError):
            await bird.ask(Request(model=asked[0].model, messages=asked[0].messages, kind=Kind.SCORE, continuation="x"))
        await bird.close()
        return found

    assert len(asyncio.run(answers("constant"))) == 1
    assert "[[A]]" in asyncio.run(answers("attack")).pop()
    with pytest.raises(InputError, match="did you mean 'attack'"):
        provider_class("canary")(Model.parse("canary/atack"), timeout=1)
