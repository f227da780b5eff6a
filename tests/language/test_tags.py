"""Tags of any convention are read, languages are described, and slips are named."""

import subprocess
import sys

import pytest

from evalkit.language.tags import describe, normalise, table


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("arb", "ar"),
        ("arb_Arab", "ar"),
        ("zho_Hans", "zh-Hans"),
        ("zho", "zh"),
        ("cmn", "zh"),
        ("pt-BR", "pt-BR"),
        ("pt_br", "pt-BR"),
        ("iw", "he"),
        ("swh", "sw"),
        ("swh_Latn", "sw"),
        ("pes", "fa"),
        ("tel_Telu", "te"),
        ("jpn_Jpan", "ja"),
        ("tgl", "fil"),
        (" EN ", "en"),
    ],
)
def test_tags_of_every_convention_become_bcp47(given: str, expected: str) -> None:
    assert normalise(given) == expected


@pytest.mark.parametrize(
    ("given", "meant"),
    [("english", "'en'"), ("Deutsch", "'de'"), ("swahilli", "'sw'"), ("serbian", "'sr'"), ("xx", ""), ("", "")],
)
def test_what_is_no_tag_is_refused_with_the_closest_one(given: str, meant: str) -> None:
    with pytest.raises(ValueError, match="is not a language tag") as caught:
        normalise(given)
    assert meant in str(caught.value)


def test_a_language_is_described_from_cldr() -> None:
    arabic = describe("arb")
    assert (arabic.tag, arabic.english_name, arabic.autonym) == ("ar", "Arabic", "العربية")
    assert (arabic.script, arabic.script_name, arabic.direction) == ("Arab", "Arabic", "rtl")
    assert (arabic.resource, arabic.joshi, arabic.family, arabic.iso3) == ("high", 5, "Afro-Asiatic", "ara")
    assert [describe(tag).resource for tag in ("hi", "th", "sw", "te")] == ["high", "mid", "low", "low"]


def test_variants_keep_what_their_language_has() -> None:
    assert describe("zho_Hans").english_name == "Simplified Chinese"
    assert describe("zh-Hant").script == "Hant"
    tamil = describe("ta-SG")
    assert (tamil.english_name, tamil.script, tamil.family) == ("Tamil (SG)", "Taml", "Dravidian")
    assert describe("uz-Arab").direction == "rtl"


def test_a_valid_language_outside_the_table_still_works() -> None:
    unknown = describe("dv")
    assert unknown.english_name == "dv"
    assert (unknown.script, unknown.direction, unknown.resource) == ("Thaa", "rtl", None)


AYA_101 = [
    "afr",
    "amh",
    "ara",
    "aze",
    "bel",
    "ben",
    "bul",
    "cat",
    "ceb",
    "ces",
    "cym",
    "dan",
    "deu",
    "ell",
    "eng",
    "epo",
    "est",
    "eus",
    "fil",
    "fin",
    "fra",
    "fry",
    "gla",
    "gle",
    "glg",
    "guj",
    "hat",
    "hau",
    "heb",
    "hin",
    "hun",
    "hye",
    "ibo",
    "ind",
    "isl",
    "ita",
    "jav",
    "jpn",
    "kan",
    "kat",
    "kaz",
    "khm",
    "kir",
    "kor",
    "kur",
    "lao",
    "lat",
    "lav",
    "lit",
    "ltz",
    "mal",
    "mar",
    "mkd",
    "mlg",
    "mlt",
    "mon",
    "mri",
    "msa",
    "mya",
    "nep",
    "nld",
    "nor",
    "nso",
    "nya",
    "ori",
    "pan",
    "pes",
    "pol",
    "por",
    "pus",
    "ron",
    "rus",
    "sin",
    "slk",
    "slv",
    "smo",
    "sna",
    "snd",
    "som",
    "sot",
    "spa",
    "sqi",
    "srp",
    "sun",
    "swa",
    "swe",
    "tam",
    "tel",
    "tgk",
    "tgl",
    "tha",
    "tur",
    "twi",
    "ukr",
    "urd",
    "uzb",
    "vie",
    "xho",
    "yid",
    "yor",
    "zho",
    "zul",
]


@pytest.mark.parametrize("code", AYA_101)
def test_every_language_of_the_aya_model_is_in_the_table(code: str) -> None:
    language = describe(code)
    assert language.tag in table()
    assert language.english_name != language.tag
    assert language.autonym
    assert language.script
    assert language.family


def test_every_row_is_keyed_by_its_normal_form() -> None:
    assert [tag for tag in table() if normalise(tag) != tag] == []


def test_importing_the_module_imports_nothing_heavy() -> None:
    code = "import sys, evalkit.language.tags; print('langcodes' in sys.modules, 'numpy' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "False"]
