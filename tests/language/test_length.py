"""Lengths do not depend on how a text is encoded."""

import math

from evalkit.language.length import characters, graphemes, log_ratio


def test_composed_and_decomposed_texts_are_equally_long() -> None:
    assert characters("e\u0301te\u0301") == characters("été") == 3
    assert characters("abc") == 3


def test_graphemes_count_what_readers_see() -> None:
    assert graphemes("👩‍👩‍👧") == 1
    assert graphemes("नमस्ते") < characters("नमस्ते")


def test_log_ratio_is_zero_for_equal_lengths_and_antisymmetric() -> None:
    assert log_ratio(7, 7) == 0.0
    assert log_ratio(0, 0) == 0.0
    assert math.isclose(log_ratio(3, 9), -log_ratio(9, 3))
    assert log_ratio(99, 9) == math.log(10)
