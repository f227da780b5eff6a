"""Where words begin and end, with ICU and without."""

from __future__ import annotations

import sys

import pytest

from evalkit.language.words import BY_ICU, BY_LETTERS, by_icu, by_letters, word_splitter

SPACED = [
    ("Don't panic, Straße!", "de", ["don't", "panic", "strasse"]),
    ("हिन्दी भाषा", "hi", ["हिन्दी", "भाषा"]),
    ("مرحبا بالعالم", "ar", ["مرحبا", "بالعالم"]),
    ("!!!", "en", []),
]


@pytest.mark.parametrize(("text", "language", "found"), SPACED)
def test_both_ways_agree_where_words_stand_between_spaces(text: str, language: str, found: list[str]) -> None:
    assert by_letters(text, language) == found
    assert by_icu(text, language) == found


def test_without_dictionaries_a_character_is_a_word() -> None:
    assert by_letters("我爱你。") == ["我", "爱", "你"]
    assert by_letters("ภาษา") == ["ภ", "า", "ษ", "า"]


def test_icu_knows_words_of_scripts_without_spaces() -> None:
    assert by_icu("ภาษาไทยเป็นภาษา", "th") == ["ภาษา", "ไทย", "เป็น", "ภาษา"]
    assert by_icu("日本語を勉強", "ja") == ["日本語", "を", "勉強"]


def test_icu_takes_any_text_and_any_tag() -> None:
    assert by_icu("a\ud800b \x00 c", "x-none")[-1] == "c"
    assert by_icu("", "de") == []


def test_without_icu_the_words_are_by_letters_and_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    assert word_splitter() == (by_icu, BY_ICU)
    monkeypatch.setitem(sys.modules, "icu4py.breakers", None)
    assert word_splitter() == (by_letters, BY_LETTERS)
