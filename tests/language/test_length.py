"""Lengths do not depend on how a text is encoded."""

from evalkit.language.length import characters


def test_composed_and_decomposed_texts_are_equally_long() -> None:
    assert characters("e\u0301te\u0301") == characters("été") == 3
    assert characters("abc") == 3
