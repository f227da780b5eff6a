"""`evalkit suites`: list, show, new and check, as a person and as a program use them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evalkit.cli.main import main
from evalkit.shipped import shipped_file, shipped_names

LONG = """id,language,prompt,category
1,en,What should I cook tonight?,food
2,en,How do I boil an egg so that it stays soft?,food
3,en,Write a short poem about the sea in winter.,writing
1,sw,Nipike nini usiku wa leo?,food
2,sw,Ninachemshaje yai ili libaki laini?,food
3,sw,Andika shairi fupi kuhusu bahari wakati wa baridi.,writing
"""


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(["suites", *words])
    told = capsys.readouterr()
    return code, told.out, told.err


@pytest.mark.parametrize("action", ["list", "show", "check", "new", "translate"])
def test_every_action_has_help_with_an_example(capsys: pytest.CaptureFixture[str], action: str) -> None:
    with pytest.raises(SystemExit):
        run(capsys, action, "--help")
    assert f"example: evalkit suites {action}" in capsys.readouterr().out


def test_list_shows_every_suite_with_languages_prompts_and_licence(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "list", "--json")
    listed = {suite["name"]: suite for suite in json.loads(out)}
    assert code == 0
    assert set(listed) == set(shipped_names("suites"))
    assert all(suite["available"] and suite["prompts_per_language"] and suite["licence"] for suite in listed.values())
    _, table, _ = run(capsys)
    assert all(name in table for name in listed)


def test_show_prints_the_file_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    path = shipped_file("suites", "mixed-origin")
    assert path is not None
    assert run(capsys, "show", "mixed-origin")[1] == path.read_text("utf-8")


def test_show_names_languages_in_english_and_in_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "show", "xalpaca", "--languages")
    assert any(line.split() == ["de", "German", "Deutsch", "Latn"] for line in out.splitlines())
    assert any(line.startswith("ar") and "العربية" in line and "on request" in line for line in out.splitlines())


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("long.csv", LONG, {"languages": ["en", "sw"], "parallel": True, "slices": ["category"]}),
        (
            "wide.csv",
            "id,en,sw\n1,Hello there,Habari yako\n2,Bye,Kwaheri\n",
            {"languages": ["en", "sw"], "parallel": True},
        ),
        (
            "noid.csv",
            "lang,question\nde,Wie geht es dir?\nen,How are you?\n",
            {"languages": ["de", "en"], "parallel": False},
        ),
        (
            "odd.csv",
            "x,y\nzho_Hans,你好吗？\narb_Arab,كيف حالك اليوم؟\n",
            {"languages": ["zh-Hans", "ar"], "parallel": False},
        ),
    ],
)
def test_new_writes_a_suite_that_reads_the_table(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str, content: str, expected: dict[str, object]
) -> None:
    (tmp_path / name).write_text(content, "utf-8")
    assert run(capsys, "new", str(tmp_path / name))[0] == 0
    suite = (tmp_path / name).with_suffix(".yaml")
    _, out, _ = run(capsys, "show", str(suite), "--json")
    shown = json.loads(out)
    told = {
        "languages": shown["languages"],
        "parallel": shown["prompts"]["parallel"],
        "slices": shown["prompts"]["slices"],
    }
    assert told == {"slices": [], **expected}
    code, out, _ = run(capsys, "check", str(suite), "--json")
    assert code == 0
    counts = {row["language"]: row["prompts"] for row in json.loads(out)["prompts"]}
    assert set(counts) == set(expected["languages"])
    assert sum(counts.values()) > 0


def test_new_beside_another_folder_keeps_its_paths_right(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "p.csv").write_text(LONG, "utf-8")
    assert run(capsys, "new", str(tmp_path / "tables" / "p.csv"), "--output", str(tmp_path / "s.yaml"))[0] == 0
    assert run(capsys, "check", str(tmp_path / "s.yaml"))[0] == 0


def test_new_never_overwrites(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text(LONG, "utf-8")
    (tmp_path / "p.yaml").write_text("mine")
    code, _, err = run(capsys, "new", str(tmp_path / "p.csv"))
    assert code == 2
    assert "the file exists" in err
    assert (tmp_path / "p.yaml").read_text() == "mine"


def test_new_asks_for_the_language_where_nothing_tells_it(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("prompt\nWie geht es dir?\n", "utf-8")
    code, _, err = run(capsys, "new", str(tmp_path / "p.csv"))
    assert code == 2
    assert "--language de" in err
    assert run(capsys, "new", str(tmp_path / "p.csv"), "--language", "deu")[0] == 0


def test_check_finds_what_people_should_look_at(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    rows = [
        ("1", "en", "Fix this:\n```python\nfor i in range(3):  # loop\n    print(i)\n```"),
        ("1", "de", "Repariere dies:\n```python\nfür i in Bereich(3):\n    drucke(i)\n```"),
        ("2", "en", 'Fill in {name} and return {"city": "Paris"} as on https://example.org/x.'),
        ("2", "de", 'Fülle {Name} aus und gib {"Stadt": "Paris"} zurück wie auf der Seite.'),
        ("3", "en", "Explain why the sky is blue and the sunset is red, please."),
        ("3", "de", "Explain why the sky is blue and the sunset is red, please."),
        ("4", "en", "Tell me something nice about the weather today, would you?"),
        ("4", "de", "Sag mir etwas Schönes über das ⟦3⟧ Wetter heute, ja?"),
        ("5", "en", "Tell me something nice  about the weather today, would you?"),
        ("5", "de", "ok"),
    ]
    lines = [json.dumps({"id": i, "language": tag, "prompt": text}) for i, tag, text in rows]
    (tmp_path / "p.jsonl").write_text("\n".join(lines), "utf-8")
    run(capsys, "new", str(tmp_path / "p.jsonl"))
    code, out, _ = run(capsys, "check", str(tmp_path / "p.yaml"), "--json")
    found = {(f["oddity"], f["language"], f["prompt_id"]) for f in json.loads(out)["findings"]}
    assert code == 0
    assert found == {
        ("damaged", "de", "1"),
        ("damaged", "de", "2"),
        ("placeholder", "de", "2"),
        ("other-language", "de", "3"),
        ("placeholder", "de", "4"),
        ("duplicate", "en", "5"),
        ("near-empty", "de", "5"),
    }
    _, table, _ = run(capsys, "check", str(tmp_path / "p.yaml"))
    assert "other-language: de 3: looks like en" in table
    assert "German" in table
    assert "Deutsch" in table


def test_check_names_a_judge_that_does_not_exist(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text(LONG, "utf-8")
    run(capsys, "new", str(tmp_path / "p.csv"))
    path = tmp_path / "p.yaml"
    path.write_text(path.read_text("utf-8").replace("judges: [aya-pairwise]", "judges: [aya-pairwize]"), "utf-8")
    code, _, err = run(capsys, "check", str(path))
    assert code == 2
    assert "did you mean 'aya-pairwise'" in err


@pytest.mark.realdata
def test_check_flags_little_in_published_prompts(capsys: pytest.CaptureFixture[str], shared: Path) -> None:
    """805 prompts in six languages, translated by people and models: a check that cried wolf would not be read."""
    _, out, _ = run(
        capsys, "check", "xalpaca", "--data", str(shared / "xalpacaeval"), "--languages", "en,de,es,fr,zh,ar", "--json"
    )
    findings = json.loads(out)["findings"]
    assert 5 <= len(findings) <= 25
    assert ("placeholder", "ar", "514") in {(f["oddity"], f["language"], f["prompt_id"]) for f in findings}
