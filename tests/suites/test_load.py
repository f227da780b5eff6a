"""A suite is found by path or name, read strictly, and every problem of the file is told at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalkit.errors import SuiteError
from evalkit.shipped import shipped_names
from evalkit.suite import load_suite, parse_suite

SMALL = """
name: small
languages: [en, deu]
prompts: {files: "prompts/{language}.jsonl"}
baseline: recorded/base/{language}.json
candidates: [openai/gpt-4.1]
judges: [aya-pairwise]
"""


def read(text: str) -> object:
    return parse_suite(text, name="s.yaml", folder=Path()).suite


def problems(text: str) -> str:
    with pytest.raises(SuiteError) as raised:
        read(text)
    return str(raised.value)


def test_short_forms_mean_what_the_long_ones_mean() -> None:
    long = SMALL.replace(
        "baseline: recorded/base/{language}.json", 'baseline: {model: "recorded/base/{language}.json"}'
    )
    long = long.replace("[openai/gpt-4.1]", "[{model: openai/gpt-4.1}]").replace(
        "[aya-pairwise]", "[{judge: aya-pairwise}]"
    )
    assert read(SMALL) == read(long)


def test_tags_of_any_convention_are_normalised() -> None:
    text = SMALL.replace("[en, deu]", "[eng_Latn, arb, zho_Hans, pt_br, iw, 'no']")
    assert read(text).languages == ("en", "ar", "zh-Hans", "pt-BR", "he", "no")


def test_all_problems_of_a_file_are_told_at_once_with_line_and_closest_word() -> None:
    told = problems(
        "name: s\nlanguages: [en, english, no]\nprompts: {files: p.json, hub: x}\njugdes: []\n"
        "candidates: [gpt]\ngeneration: {temprature: 1, top_p: high}\n"
    )
    for line in (
        "s.yaml:2 (languages[1]): 'english' is not a language tag: did you mean 'en'",
        "s.yaml:2 (languages[2]): write 'no' in quotes",
        "s.yaml:3 (prompts): the prompts have hub and files",
        "s.yaml:4 (jugdes): unknown key 'jugdes'\n    did you mean 'judges'?",
        "s.yaml:5 (candidates[0]): 'gpt' is not a model reference",
        "s.yaml:6 (generation.temprature): unknown key 'temprature'\n    did you mean 'temperature'?",
        "s.yaml:6 (generation.top_p)",
    ):
        assert line in told


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("candidates: [opnai/gpt-4.1]", "unknown provider 'opnai' in 'opnai/gpt-4.1'\n    did you mean 'openai'?"),
        ("candidates: [openai/a, {model: anthropic/b, name: a}]", "'anthropic/b' and 'openai/a' are both called 'a'"),
        ("candidates: [openai/base]", "'openai/base' and 'recorded/base/{language}.json' are both called 'base'"),
        ("languages: [he, iw]", "language 'he' is named twice"),
        ("prompts: {files: 'p/{lang}.json'}", "unknown placeholder {lang}"),
        ("prompts: {}", "the prompts have no source"),
        (
            "prompts: {parts: [{files: a.csv}, {hub: x, files: b.csv}]}",
            "(prompts.parts[1]): the prompts have hub and files",
        ),
        ("prompts: {files: a.csv, parts: [{languages: [fr]}]}", "language 'fr' is not one of the suite's"),
        ("statistics: {weights: {fr: 1.0}}", "no language 'fr'"),
    ],
)
def test_one_thing_wrong(wrong: str, told: str) -> None:
    key = wrong.partition(":")[0]
    kept = "\n".join(line for line in SMALL.splitlines() if not line.startswith(f"{key}:"))
    assert told in problems(f"{kept}\n{wrong}\n")


def test_an_unknown_suite_names_the_closest_that_ships() -> None:
    with pytest.raises(SuiteError, match="did you mean 'xalpaca'"):
        load_suite("xalpacca")


def test_a_run_directory_in_place_of_a_suite_names_its_file(tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text(SMALL)
    with pytest.raises(SuiteError, match=r"did you mean .*run\.yaml"):
        load_suite(tmp_path)


@pytest.mark.parametrize("name", shipped_names("suites"))
def test_every_shipped_suite_says_what_it_is(name: str) -> None:
    """Readers need source, licence and citation; reproducing needs a pinned revision."""
    suite = load_suite(name).suite
    assert suite.name == name
    assert suite.about.title
    assert suite.about.description
    assert suite.about.licence
    for part in suite.prompts.tables():
        if part.hub:
            assert part.revision, f"{name} does not pin {part.hub}"
        if part.hub or part.remote:
            assert part.data, f"{name} cannot be run without the network"
            assert suite.about.url
            assert suite.about.citation
