"""Every command says what it does, with an example, and every expected error is one clear message and exit code 2."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evalkit.cli.main import COMMANDS, main


def call(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command."""
    try:
        code = main(words)
    except SystemExit as end:
        code = int(end.code or 0)
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, command, "--help")
    assert code == 0
    assert "example" in out
    assert f"evalkit {command} " in out.partition("example")[2].replace("\n", " ")
    assert "--json" in out


SUITE = """\
name: mine
languages: [en]
prompts:
  files: prompts/{language}.jsonl
baseline: recorded/answers/{language}.jsonl
candidates:
  - name: new
    model: recorded/answers/{language}.jsonl
judges: [offline-rules]
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    (tmp_path / "prompts").mkdir()
    (tmp_path / "answers").mkdir()
    (tmp_path / "prompts" / "en.jsonl").write_text('{"id": "1", "prompt": "Say hello."}\n')
    (tmp_path / "answers" / "en.jsonl").write_text('{"id": "1", "answer": "Hello to you all, my friends."}\n')
    path = tmp_path / "mine.yaml"
    path.write_text(SUITE)
    return path


@pytest.mark.parametrize(
    ("change", "message", "mend"),
    [
        (("languages: [en]", "langauges: [en]"), "unknown key 'langauges'", "did you mean 'languages'?"),
        (("languages: [en]", "languages: en-de"), "languages", ""),
        (("languages: [en]", "languages: [englisch]"), "englisch", ""),
        (
            ("judges: [offline-rules]", "judges: [ofline-rules]"),
            "no judge 'ofline-rules'",
            "did you mean 'offline-rules'?",
        ),
        (("judges: [offline-rules]", "judges: [.]"), "a folder", ""),
        (("baseline: recorded/", "baseline: recordet/"), "unknown provider 'recordet'", "did you mean 'recorded'?"),
        (("baseline: recorded/", "baseline: "), "unknown provider 'answers'", "recorded"),
        (("prompts/{language}.jsonl", "promts/{language}.jsonl"), "promts", ""),
        (("name: mine", "name: mine\nname: yours"), "key 'name' stands twice", "keep one"),
        (("name: mine", "name: [mine"), "not valid YAML", ""),
        (("judges: [offline-rules]", "judges: [offline-rules]\nstatistics: {interval: wlison}"), "not 'wlison'", ""),
        (("judges: [offline-rules]", "judges: [offline-rules]\nerror_budget: 2"), "error_budget", ""),
    ],
)
def test_a_wrong_suite_is_named_by_place_and_mend(
    suite: Path, change: tuple[str, str], message: str, mend: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = suite.read_text()
    assert change[0] in text
    suite.write_text(text.replace(*change))
    code, out, err = call(capsys, "run", str(suite))
    assert code == 2
    assert out == ""
    assert message in err
    assert mend in err
    assert "Traceback" not in err


def test_all_problems_of_a_file_are_told_at_once(suite: Path, capsys: pytest.CaptureFixture[str]) -> None:
    suite.write_text(suite.read_text().replace("name: mine", "nmae: mine").replace("judges:", "jugdes:"))
    _, _, err = call(capsys, "run", str(suite))
    assert "mine.yaml:1" in err
    assert "mine.yaml:9" in err
    assert "'nmae'" in err
    assert "'jugdes'" in err


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "holds no rows"),
        ('{"id": "1", "answer": \n', "line 1"),
        ('{"id": "1", "reply_text_of": "x"}\n', "answer"),
    ],
)
def test_a_file_of_answers_that_cannot_be_used_is_named(
    suite: Path, content: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (suite.parent / "answers" / "en.jsonl").write_text(content)
    code, _, err = call(capsys, "run", str(suite))
    assert code == 2
    assert "en.jsonl" in err
    assert words.replace("line 1", ":1") in err


def test_a_judge_template_with_an_undefined_variable_is_named(suite: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (suite.parent / "strict.yaml").write_text(
        "kind: label\nmodel: openai/x\nuser: |\n  Compare {{ matrial }}\nverdict_line: '[[{verdict}]]'\n"
        "labels: {A: 1, B: 0, TIE: 0.5}\n"
    )
    suite.write_text(suite.read_text().replace("[offline-rules]", "[strict.yaml]"))
    code, _, err = call(capsys, "run", str(suite))
    assert code == 2
    assert "strict.yaml" in err
    assert "matrial" in err
    assert "material" in err


def test_two_models_of_one_name_are_refused(suite: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = call(capsys, "run", str(suite), "--candidate", "a=offline/rules", "--candidate", "a=offline/rules")
    assert code == 2
    assert "both called 'a'" in err


def test_json_is_one_document_also_when_it_is_an_error(
    suite: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = call(capsys, "run", str(suite), "--json", "--out", str(tmp_path / "run"))
    assert code == 0
    assert json.loads(out)["runs"][0]["results"]["candidate"] == "new"
    code, out, _ = call(capsys, "run", "nonsense", "--json")
    assert code == 2
    assert json.loads(out)["problems"][0]["where"] == "nonsense"


def test_an_unknown_command_is_answered_with_the_closest(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = call(capsys, "rnu")
    assert code == 2
    assert "did you mean 'run'?" in err


@pytest.mark.parametrize(
    "words",
    [
        ["run"],
        ["run", "quickstart", "--limit", "0"],
        ["run", "quickstart", "--max-cost", "nan"],
        ["run", "quickstart", "--concurrency", "-1"],
        ["run", "quickstart", "--requests-per-minute", "0"],
        ["nonsense"],
        ["ledger", "nonsense"],
        ["ledger", "info", "some.sqlite"],
        ["suites", "new", ""],
        ["leaderboard", "run", "--output", ""],
        ["judges", "check", "latin.yaml"],
        ["suites", "check", "x" * 300],
        ["suites", "check", "deep.json"],
        ["run", "quickstart", "--limit", "1", "--out", "latin.yaml/run"],
    ],
)
def test_wrong_input_is_one_message_and_one_json_document(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("latin.yaml").write_bytes("about: für\n".encode("latin-1"))
    Path("deep.json").write_text("[" * 100_000)
    code, out, err = call(capsys, *words)
    assert (code, out) == (2, "")
    assert err.startswith("evalkit: ")
    code, out, err = call(capsys, *words, "--json")
    assert code == 2
    told = json.loads(out)
    assert told["exit_code"] == 2
    assert all(problem["message"] for problem in told["problems"])


@pytest.mark.parametrize("address", ["http://[::1", "http://", "http://host:port/v1", "ftp://host/v1"])
def test_address_that_is_none_is_bad_input(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = call(capsys, "run", "quickstart", "--candidate", f"openai/x@{address}")
    assert code == 2
    assert "names no address that can be asked" in err
