"""Recorded answers: any usual layout, matched by id, text or position; nothing dropped in silence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evalkit.calls import Message
from evalkit.data.answers import RecordedAnswers, read_answers
from evalkit.data.prompts import read_prompts
from evalkit.errors import DataError
from evalkit.records import Prompt
from evalkit.suite import ModelConfig, load_suite, override

PROMPTS = tuple(
    Prompt(
        id=str(k),
        language=tag,
        messages=(Message("user", f"{tag} question {k}"),),
        meta={"kind": "odd" if k % 2 else "even"},
    )
    for tag in ("en", "de")
    for k in range(4)
)


def write(path: Path, rows: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    else:
        path.write_text(json.dumps(rows, ensure_ascii=False), "utf-8")


def read(
    folder: Path, template: str = "{language}.jsonl", *, prompts: tuple[Prompt, ...] = PROMPTS, **options: object
) -> RecordedAnswers:
    config = ModelConfig(model=f"recorded/{template}", name="m", **options)
    return read_answers(config, prompts, folder=folder, everything=PROMPTS)


def rows(tag: str, layout: str) -> list[dict[str, object]]:
    """Answers `<tag> answer k` to all prompts of a language, in a layout of the field."""
    make = {
        "alpaca": lambda _, q, a: {"instruction": q, "output": a, "generator": "g"},
        "arena": lambda k, q, a: {
            "uid": k,
            "model": "g",
            "messages": [{"role": "user", "content": q}, {"role": "assistant", "content": {"answer": a}}],
        },
        "chat": lambda _, q, a: {"messages": [{"role": "user", "content": q}, {"role": "assistant", "content": a}]},
        "fastchat": lambda k, _, a: {"question_id": int(k), "model_id": "g", "choices": [{"index": 0, "turns": [a]}]},
        "plain": lambda k, _, a: {"id": k, "response": a, "extra": 1},
        "bare": lambda _k, _q, a: {"answer": a},
    }[layout]
    return [make(str(k), f"{tag} question {k}", f"{tag} answer {k}") for k in range(4)]


@pytest.mark.parametrize(
    ("layout", "by"),
    [("alpaca", "text"), ("arena", "id"), ("chat", "text"), ("fastchat", "id"), ("plain", "id"), ("bare", "position")],
)
def test_every_layout_gives_the_same_answers(tmp_path: Path, layout: str, by: str) -> None:
    for tag in ("en", "de"):
        answers = rows(tag, layout)
        write(tmp_path / f"{tag}.jsonl", answers if layout == "bare" else answers[::-1])
    found = read(tmp_path)
    assert [(a.language, a.prompt_id, a.text) for a in found.generations] == [
        (p.language, p.id, f"{p.language} answer {p.id}") for p in PROMPTS
    ]
    assert found.matched_by == {"en": by, "de": by}
    assert not found.missing
    assert not found.duplicates
    assert not found.extra


def test_one_file_with_a_language_column(tmp_path: Path) -> None:
    both = [{**row, "language": iso} for tag, iso in (("en", "eng_Latn"), ("de", "deu")) for row in rows(tag, "plain")]
    write(tmp_path / "all.json", both)
    assert [a.text for a in read(tmp_path, "all.json").generations] == [f"{p.language} answer {p.id}" for p in PROMPTS]


def test_one_file_without_language_column_is_told_apart_by_its_prompts(tmp_path: Path) -> None:
    write(tmp_path / "all.json", rows("en", "alpaca") + rows("de", "alpaca"))
    found = read(tmp_path, "all.json")
    assert [a.text for a in found.generations] == [f"{p.language} answer {p.id}" for p in PROMPTS]
    assert not found.missing


def test_ids_that_languages_share_are_told_apart_by_the_prompt(tmp_path: Path) -> None:
    both = [
        {"id": str(k), "prompt": f"{tag} question {k}", "answer": f"{tag} answer {k}"}
        for k in range(4)
        for tag in ("en", "de")
    ]
    write(tmp_path / "all.json", both)
    found = read(tmp_path, "all.json")
    assert [a.text for a in found.generations] == [f"{p.language} answer {p.id}" for p in PROMPTS]
    assert not found.duplicates


def test_answers_that_nothing_gives_a_language_are_refused(tmp_path: Path) -> None:
    """Taking the same rows for every language would compare German answers with Swahili ones."""
    write(tmp_path / "all.json", rows("en", "plain") + rows("de", "plain"))
    with pytest.raises(DataError, match="nothing says which language an answer is for"):
        read(tmp_path, "all.json")


def test_rows_without_an_id_are_matched_by_their_prompt(tmp_path: Path) -> None:
    mixed = [*rows("en", "plain")[:2], *rows("en", "alpaca")[2:]]
    write(tmp_path / "en.jsonl", [{"response": row.get("output"), **row} for row in mixed])
    found = read(tmp_path, prompts=PROMPTS[:4], columns={"answer": "response"})
    assert [a.text for a in found.generations] == [f"en answer {k}" for k in range(4)]


def test_position_is_said_and_refers_to_all_prompts_where_a_sample_is_asked(tmp_path: Path) -> None:
    for tag in ("en", "de"):
        write(tmp_path / f"{tag}.jsonl", rows(tag, "bare"))
    found = read(tmp_path, prompts=(PROMPTS[2], PROMPTS[7]))
    assert [a.text for a in found.generations] == ["en answer 2", "de answer 3"]
    assert any("by position" in note for note in found.notes)


def test_position_with_another_number_of_answers_is_a_guess_and_refused(tmp_path: Path) -> None:
    write(tmp_path / "en.jsonl", rows("en", "bare")[1:])
    with pytest.raises(DataError, match="3 answers without id or prompt for 4 prompts in 'en'"):
        read(tmp_path, prompts=PROMPTS[:4])


def test_missing_duplicate_and_surplus_answers_are_told_by_language_and_id(tmp_path: Path) -> None:
    write(
        tmp_path / "en.jsonl",
        [*rows("en", "plain")[1:], {"id": "2", "response": "again"}, {"id": "9", "response": "?"}],
    )
    write(tmp_path / "de.jsonl", [{"id": "0", "response": None}, {"id": "1", "response": ""}, *rows("de", "plain")[2:]])
    found = read(tmp_path)
    assert found.missing == (("en", "0"), ("de", "0"))
    assert found.duplicates == (("en", "2"),)
    assert found.extra == {"en": 1}
    texts = {a.key: a.text for a in found.generations}
    assert texts["en", "2"] == "en answer 2"
    assert texts["de", "1"] == "", "an empty answer is an answer, no value is none"
    assert "m, en: no recorded answer to 1 prompts: 0" in found.notes
    assert "m, en: several recorded answers to 1 prompts: 2" in found.notes


def test_prompt_texts_overrule_ids_that_are_numbered_otherwise(tmp_path: Path) -> None:
    """A file numbered from 1 would shift every answer by one prompt, and look complete."""
    shifted = [{"id": k, "prompt": f"en question {k - 1}", "answer": f"en answer {k - 1}"} for k in range(1, 5)]
    write(tmp_path / "en.jsonl", shifted)
    found = read(tmp_path, prompts=PROMPTS[:4])
    assert [a.text for a in found.generations] == [f"en answer {k}" for k in range(4)]
    assert found.matched_by == {"en": "text"}


def test_prompts_of_one_text_take_its_answers_in_turn(tmp_path: Path) -> None:
    same = tuple(Prompt(id=i, language="en", messages=(Message("user", "Same  question"),)) for i in ("a", "b"))
    write(tmp_path / "en.jsonl", [{"prompt": "Same question", "answer": str(k)} for k in range(2)])
    config = ModelConfig(model="recorded/en.jsonl")
    assert [a.text for a in read_answers(config, same, folder=tmp_path).generations] == ["0", "1"]


def test_answers_to_several_turns(tmp_path: Path) -> None:
    write(tmp_path / "en.jsonl", [{"question_id": str(k), "choices": [{"turns": ["first", "last"]}]} for k in range(4)])
    answer = read(tmp_path, prompts=PROMPTS[:4]).generations[0]
    assert (answer.earlier, answer.text) == (("first",), "last")


def test_variants_answer_their_own_prompts(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", [{"id": str(k), "answer": f"a{k}"} for k in range(4)])
    write(tmp_path / "b.jsonl", [{"id": str(k), "answer": f"b{k}"} for k in range(4)])
    found = read(tmp_path, "a.jsonl", prompts=PROMPTS[:4], by="kind", variants={"odd": {"model": "recorded/b.jsonl"}})
    assert [a.text for a in found.generations] == ["a0", "b1", "a2", "b3"]
    assert {a.model for a in found.generations} == {"m"}


def test_ids_made_of_columns_and_prompts_that_are_not_parallel(tmp_path: Path) -> None:
    own = tuple(Prompt(id=f"okapi/{k}@de", language="de", messages=(Message("user", "?"),)) for k in range(2))
    lines = [
        {"id": k, "source": s, "language": "de", "completion": f"{s} {k}"}
        for s in ("native", "okapi")
        for k in range(2)
    ]
    write(tmp_path / "m.jsonl", lines)
    config = ModelConfig(model="recorded/m.jsonl", columns={"id": "{source}/{id}"}, filter={"source": ["okapi"]})
    assert [a.text for a in read_answers(config, own, folder=tmp_path).generations] == ["okapi 0", "okapi 1"]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("en.jsonl", "", "the file holds no rows"),
        ("en.jsonl", '{"id": "0", "text_": "a"}\n', "no column holds the answers; there are: id, text_"),
        ("en.jsonl", '{"id": "0", "answer": {"a": 1}}\n', "en.jsonl:1: the answer is no text"),
        ("en.jsonl", '{"id": "x", "answer": "a"}\n', "no answer belongs to a prompt in 'en', by id or by text"),
        ("en.jsonl", '{"id": "0", "answer": null}\n', "none of the 4 prompts in 'en' has an answer"),
        ("de.jsonl", '{"id": "0", "answer": "a"}\n', "m has no answers in 'en'\n    there are files for: de"),
        ("x.txt", "", "no such files of recorded answers"),
    ],
)
def test_what_is_wrong_with_a_file_is_told(tmp_path: Path, name: str, content: str, told: str) -> None:
    (tmp_path / name).write_text(content, "utf-8")
    with pytest.raises(DataError) as raised:
        read(tmp_path, prompts=PROMPTS[:4])
    assert told in str(raised.value)


def test_a_folder_in_place_of_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "answers").mkdir()
    with pytest.raises(DataError, match="a folder stands where a file should"):
        read(tmp_path, "answers")


def test_paths_of_the_command_line_start_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "here" / "en.jsonl", rows("en", "plain"))
    monkeypatch.chdir(tmp_path / "here")
    assert read(tmp_path, "en.jsonl", prompts=PROMPTS[:4], relative_to="working-directory").generations
    with pytest.raises(DataError, match="no such file"):
        read(tmp_path, "en.jsonl", prompts=PROMPTS[:4])


@pytest.mark.realdata
def test_the_published_answers_of_xalpacaeval_all_find_their_prompts(shared: Path) -> None:
    """805 × 4 prompts, two models; the baseline's English file has no ids."""
    loaded = load_suite("xalpaca")
    data = shared / "xalpacaeval"
    own = f"recorded/{data}/outputs/gpt-4o-mini/{{language}}.json"
    suite = override(loaded.suite, languages=["en", "de", "es", "fr"], candidates=[own])
    prompts = read_prompts(suite, folder=loaded.folder, data=data)
    assert len(prompts) == 805 * 4
    assert suite.baseline is not None
    for config, english in ((suite.baseline, "text"), (suite.candidates[0], "id")):
        found = read_answers(config, prompts, folder=loaded.folder, data=data)
        assert [a.key for a in found.generations] == [p.key for p in prompts]
        assert found.matched_by == {"en": english, "de": "id", "es": "id", "fr": "id"}
