"""From files to prompts: every format, every usual layout, and one clear message for whatever is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from evalkit.calls import Message
from evalkit.data.prompts import read_prompts
from evalkit.errors import DataError
from evalkit.records import Prompt
from evalkit.suite import parse_suite

ROWS = [
    {"id": "1", "text": 'Line one\nline two, with a comma and "quotes"'},
    {"id": "2", "text": "a line separator inside and a placeholder {output_1}"},
]


def prompts(
    folder: Path, source: dict[str, object], *, languages: list[str] | None = None, **options: object
) -> tuple[Prompt, ...]:
    text = yaml.safe_dump({"name": "s", "languages": languages or ["en"], "prompts": source}, allow_unicode=True)
    suite = parse_suite(text, name="s.yaml", folder=folder).suite
    return read_prompts(suite, folder=folder, **options)


def wrong(folder: Path, source: dict[str, object], *, languages: list[str] | None = None, **options: object) -> str:
    with pytest.raises(DataError) as raised:
        prompts(folder, source, languages=languages, **options)
    return str(raised.value)


def write(path: Path, rows: list[dict[str, object]]) -> None:
    """Write rows in the format that the file's ending names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".json":
        path.write_text(json.dumps(rows, ensure_ascii=False), "utf-8")
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    elif path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        mark = "\t" if path.suffix == ".tsv" else ","
        quoted = [[f'"{str(cell).replace(chr(34), chr(34) * 2)}"' for cell in row.values()] for row in rows]
        lines = [mark.join(cells) for cells in [list(rows[0]), *quoted]]
        path.write_text("\ufeff" + "\n".join(lines) + "\n", "utf-8")


@pytest.mark.parametrize("ending", ["json", "jsonl", "csv", "tsv", "parquet"])
def test_every_format_gives_the_same_prompts(tmp_path: Path, ending: str) -> None:
    write(tmp_path / f"en.{ending}", ROWS)
    found = prompts(tmp_path, {"files": f"{{language}}.{ending}"})
    assert [(prompt.id, prompt.text) for prompt in found] == [(row["id"], row["text"]) for row in ROWS]


def test_files_are_found_under_the_sources_own_tags(tmp_path: Path) -> None:
    """One convention for us, any for the files: macro languages, scripts, regions."""
    for tag in ("arb_Arab", "zho_Hans", "zho_Hant", "pt-BR", "swh", "iw"):
        write(tmp_path / tag / "p.json", [{"id": "1", "text": tag}])
    found = prompts(tmp_path, {"files": "{language}/p.json"}, languages=["ar", "zh", "zh-Hant", "pt", "sw", "he"])
    assert [(prompt.language, prompt.text) for prompt in found] == [
        ("ar", "arb_Arab"),
        ("zh", "zho_Hans"),
        ("zh-Hant", "zho_Hant"),
        ("pt", "pt-BR"),
        ("sw", "swh"),
        ("he", "iw"),
    ]


def test_one_table_with_a_language_column(tmp_path: Path) -> None:
    write(tmp_path / "p.csv", [{"id": "1", "prompt": t, "lang": t} for t in ("eng", "deu", "fra")])
    found = prompts(tmp_path, {"files": "p.csv"}, languages=["de", "en"])
    assert [(prompt.language, prompt.text) for prompt in found] == [("de", "deu"), ("en", "eng")]


def test_one_table_with_a_column_a_language(tmp_path: Path) -> None:
    write(tmp_path / "p.csv", [{"id": "1", "en": "Hello", "de": "Hallo"}])
    found = prompts(tmp_path, {"files": "p.csv", "columns": {"text": "{language}"}}, languages=["en", "de"])
    assert [prompt.text for prompt in found] == ["Hello", "Hallo"]


@pytest.mark.parametrize(
    ("cell", "messages"),
    [
        (["Hi", "And then?"], [("user", "Hi"), ("user", "And then?")]),
        ([{"role": "user", "content": "Hi"}], [("user", "Hi")]),
        (
            [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Ho"}, {"from": "human", "value": "?"}],
            [("user", "Hi"), ("assistant", "Ho"), ("user", "?")],
        ),
        ('[{"role": "user", "content": "as JSON in a cell"}]', [("user", "as JSON in a cell")]),
        ("[1, 2, 3] is a list", [("user", "[1, 2, 3] is a list")]),
    ],
)
def test_conversations_in_the_usual_spellings(tmp_path: Path, cell: object, messages: list[tuple[str, str]]) -> None:
    write(tmp_path / "en.json", [{"id": "1", "messages": cell}])
    (prompt,) = prompts(tmp_path, {"files": "en.json"})
    assert prompt.messages == tuple(Message(*message) for message in messages)


def test_system_reference_checklist_and_slices(tmp_path: Path) -> None:
    row = {
        "id": 1.0,
        "q": "Why?",
        "sys": "Be brief.",
        "gold": ["a", "b"],
        "checks": ["x", "y"],
        "kind": "maths",
        "v": 2,
    }
    write(tmp_path / "en.json", [row])
    columns = {"text": "q", "system": "sys", "reference": "gold", "checklist": "checks", "category": "kind"}
    source = {"files": "en.json", "columns": columns, "meta": {"origin": "human"}, "slices": ["category", "v"]}
    (prompt,) = prompts(tmp_path, source)
    assert prompt.id == "1"
    assert prompt.messages == (Message("system", "Be brief."), Message("user", "Why?"))
    assert prompt.reference == "a\nb"
    assert prompt.checklist == ("x", "y")
    assert prompt.meta == {"category": "maths", "v": "2", "origin": "human"}


def test_wording_is_filled_in_one_pass(tmp_path: Path) -> None:
    """What a cell holds is never read as a placeholder."""
    write(tmp_path / "de.json", [{"id": "1", "text": "{title}", "title": "Titel"}])
    template = {"de": "Fasse zusammen: {title}\n{text} {braces", "default": "?"}
    (prompt,) = prompts(tmp_path, {"files": "{language}.json", "template": template}, languages=["de"])
    assert prompt.text == "Fasse zusammen: Titel\n{title} {braces"


def test_parts_share_what_stands_above_them(tmp_path: Path) -> None:
    write(tmp_path / "human.json", [{"id": "1", "prompt": "Bonjour", "language": "fra"}])
    for tag in ("deu", "swh"):
        write(tmp_path / "machine" / f"{tag}.json", [{"id": "1", "prompt": tag}])
    parts = [
        {"languages": ["fr"], "files": "human.json", "meta": {"origin": "human"}},
        {"languages": ["de", "sw"], "files": "machine/{language}.json", "meta": {"origin": "machine"}},
    ]
    found = prompts(tmp_path, {"columns": {"text": "prompt"}, "parts": parts}, languages=["de", "fr", "sw"])
    assert [(p.language, p.text, p.meta["origin"]) for p in found] == [
        ("de", "deu", "machine"),
        ("fr", "Bonjour", "human"),
        ("sw", "swh", "machine"),
    ]


def test_prompts_that_are_not_parallel_are_clusters_of_their_own(tmp_path: Path) -> None:
    for tag in ("en", "de"):
        write(tmp_path / f"{tag}.json", [{"text": f"{tag} a"}, {"text": f"{tag} b"}])
    found = prompts(tmp_path, {"files": "{language}.json", "parallel": False}, languages=["en", "de"])
    assert [prompt.id for prompt in found] == ["0@en", "1@en", "0@de", "1@de"]


def test_ids_that_are_not_shared_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "en.json", [{"id": str(k), "text": "x"} for k in range(9)])
    write(tmp_path / "de.json", [{"id": str(k), "text": "x"} for k in range(1, 9)] + [{"id": "77", "text": "x"}])
    told = wrong(tmp_path, {"files": "{language}.json"}, languages=["en", "de"])
    assert "de lacks 1 of the prompts that en has: 0" in told
    assert "en lacks 1 of the prompts that de has: 77" in told
    assert "parallel: false" in told


def test_a_sample_takes_the_same_ids_everywhere_and_grows_by_adding(tmp_path: Path) -> None:
    """A larger limit holds the smaller one: nothing answered before is asked again."""
    for tag in ("en", "de"):
        write(tmp_path / f"{tag}.json", [{"id": str(k), "text": f"{tag} {k}"} for k in range(50)])
    taken = {}
    for limit in (5, 20):
        found = prompts(tmp_path, {"files": "{language}.json", "limit": limit}, languages=["en", "de"])
        ids = {tag: [p.id for p in found if p.language == tag] for tag in ("en", "de")}
        assert ids["en"] == ids["de"]
        assert len(ids["en"]) == limit
        assert ids["en"] == sorted(ids["en"], key=int)
        taken[limit] = set(ids["en"])
    assert taken[5] < taken[20]
    other = prompts(tmp_path, {"files": "en.json", "limit": 5, "sample_seed": 1})
    assert {prompt.id for prompt in other} != taken[5]


def test_filters_keep_rows_and_name_the_values_there_are(tmp_path: Path) -> None:
    write(tmp_path / "en.json", [{"id": "1", "text": "a", "kind": "x"}, {"id": "2", "text": "b", "kind": "y"}])
    assert [p.id for p in prompts(tmp_path, {"files": "en.json", "filter": {"kind": ["y", "z"]}})] == ["2"]
    assert "kind has x, y" in wrong(tmp_path, {"files": "en.json", "filter": {"kind": "w"}})


def test_data_folder_comes_before_the_source_in_any_format(tmp_path: Path) -> None:
    write(tmp_path / "data" / "p" / "en.parquet", [{"id": "1", "text": "from data"}])
    source = {"remote": {"url": "https://example.invalid/{language}.json"}, "data": "p/{language}.json"}
    (prompt,) = prompts(tmp_path, source, data=tmp_path / "data")
    assert prompt.text == "from data"


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("en.jsonl", '{"id": 1, "text": "a"}\n{"id": 2,\n[1]\n', "en.jsonl:2: not valid JSON"),
        ("en.jsonl", '{"id": 1, "text": "a"}\n{"id": 2,\n[1]\n', "en.jsonl:3: the line is no JSON object"),
        ("en.json", '[{"id": 1}\n{"id": 2}]', "en.json:2: not valid JSON"),
        ("en.json", '{"id": 1}\n{"id": 2}', "name the file .jsonl"),
        ("en.json", "[]", "the file holds no rows"),
        ("en.json", "7", "the file is no list of JSON objects"),
        ("en.csv", "id,text\n1,a\n2,b,c\n", "en.csv:3: the row has 3 cells, the header 2"),
        ("en.csv", "id,text\n", "the file holds no rows"),
        ("en.csv", "", "the file holds no rows"),
        (
            "en.csv",
            "id,body\n1,a\n",
            "no column is known to hold the prompts\n    name it: `columns: {text: …}`; there are: id, body",
        ),
        ("en.parquet", "PAR1", "not valid Parquet"),
        ("en.xlsx", "x", "unknown format '.xlsx'"),
        ("en.csv", "id,text\n1,\n", "prompt '1' (en) is empty"),
        ("en.csv", "id,text\n,a\n", "en.csv:2: the row has no 'id'"),
        ("en.csv", "id,text\n1,a\n1,b\n", "en.csv:3: prompt '1' (en) stands twice: first at"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_with_its_place(tmp_path: Path, name: str, content: str, told: str) -> None:
    (tmp_path / name).write_text(content, "utf-8")
    assert told in wrong(tmp_path, {"files": name})


def test_spreadsheets_of_many_countries_write_semicolons(tmp_path: Path) -> None:
    (tmp_path / "en.csv").write_text('id;text\n1;"a; b, c"\n2;d, e\n', "utf-8")
    assert [prompt.text for prompt in prompts(tmp_path, {"files": "en.csv"})] == ["a; b, c", "d, e"]


def test_a_broken_character_in_an_id_is_no_crash(tmp_path: Path) -> None:
    (tmp_path / "en.json").write_text('[{"id": "\\ud83d", "text": "a"}]', "utf-8")
    assert len(prompts(tmp_path, {"files": "en.json", "limit": 1})) == 1


def test_text_that_is_not_utf8_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "en.csv").write_bytes("id,text\n1,a\n2,Grüße\n".encode("latin-1"))
    assert "en.csv:3: the text is not UTF-8" in wrong(tmp_path, {"files": "en.csv"})


def test_a_wrong_column_names_those_that_exist(tmp_path: Path) -> None:
    write(tmp_path / "en.csv", [{"id": "1", "prompt": "a", "category": "b"}])
    told = wrong(tmp_path, {"files": "en.csv", "columns": {"text": "promt", "kind": "catgory"}})
    assert "no column 'promt'; there are: id, prompt, category\n    did you mean 'prompt'?" in told
    assert "did you mean 'category'?" in told


def test_a_language_the_source_lacks_names_those_it_has(tmp_path: Path) -> None:
    write(tmp_path / "en.json", [{"id": "1", "text": "a"}])
    write(tmp_path / "de.json", [{"id": "1", "text": "a"}])
    assert "no file for 'fr'\n    there are: de, en" in wrong(tmp_path, {"files": "{language}.json"}, languages=["fr"])
    write(tmp_path / "all.csv", [{"id": "1", "text": "a", "language": "deu"}])
    assert "no rows in 'fr'\n    there are: deu" in wrong(tmp_path, {"files": "all.csv"}, languages=["de", "fr"])
    write(tmp_path / "mute.csv", [{"id": "1", "text": "a"}])
    assert "no column is known to hold the language" in wrong(tmp_path, {"files": "mute.csv"}, languages=["de", "fr"])


def test_missing_files_and_folders_in_their_place(tmp_path: Path) -> None:
    (tmp_path / "folder.json").mkdir()
    assert "a folder stands where a file should" in wrong(tmp_path, {"files": "folder.json"})
    assert "no such file" in wrong(tmp_path, {"files": "gone.json"})
    assert "there are no such files" in wrong(tmp_path, {"files": "gone/{language}.json"})
    assert "no such folder" in wrong(tmp_path, {"files": "en.json"}, data=tmp_path / "gone")
    (tmp_path / "file").write_text("")
    assert "a file stands where a folder should" in wrong(tmp_path, {"files": "en.json"}, data=tmp_path / "file")


def test_problems_of_all_languages_are_told_at_once(tmp_path: Path) -> None:
    for tag in ("en", "de"):
        write(tmp_path / f"{tag}.json", [{"id": "1", "text": " "}])
    told = wrong(tmp_path, {"files": "{language}.json"}, languages=["en", "de", "fr"])
    assert "'1' (en) is empty" in told
    assert "'1' (de) is empty" in told
    assert "no file for 'fr'" in told


def test_a_column_that_is_empty_in_every_row_is_one_problem_a_file(tmp_path: Path) -> None:
    for tag in ("en", "de"):
        write(tmp_path / f"{tag}.csv", [{"id": str(number), "text": " "} for number in range(80)])
    with pytest.raises(DataError) as raised:
        prompts(tmp_path, {"files": "{language}.csv"}, languages=["en", "de"])
    assert [problem.message for problem in raised.value.problems] == [
        "prompt '0' (en) is empty (and 79 more like this)",
        "prompt '0' (de) is empty (and 79 more like this)",
    ]
