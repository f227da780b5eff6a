"""What is taken out of an answer before its language is told, and how short lines are merged."""

import pytest

from evalkit.language.prose import has_letters, lines_of, prose


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("vor `x = 1` nach", "vor nach"),
        ("vor\n```py\nx = 1\n```\nnach", "vor nach"),
        ("vor\n```py\nnever closed", "vor"),
        ("vor $a+b$ nach \\(c\\) und \\[d\\]", "vor nach und"),
        ("see https://example.org/a?b=c now", "see now"),
        ("write to a.b@example.org now", "write to now"),
        ("<b>fett</b> und 3 < 4", "fett und 3 < 4"),
        ("er sagte „guten Tag“ und ging", "er sagte und ging"),
        ("他说“你好”就走了", "他说 就走了"),
        ("彼は「こんにちは」と言った", "彼は と言った"),
        ("plain text stays", "plain text stays"),
    ],
)
def test_code_maths_links_tags_and_quotations_go(text: str, left: str) -> None:
    assert " ".join(prose(text).split()) == left


def test_long_quotations_and_apostrophes_stay() -> None:
    long = "“" + "a long quotation " * 20 + "”"
    assert prose(long) == long
    assert prose("It's Anna's book, isn't it?") == "It's Anna's book, isn't it?"


def test_short_lines_are_merged_and_none_is_lost() -> None:
    assert list(lines_of("ab\ncd\nefgh\n\nij", letters=4)) == ["ab cd", "efgh ij"]
    assert list(lines_of("ab", letters=4)) == ["ab"]
    assert list(lines_of("\n \n", letters=4)) == []


def test_letters_are_counted_beyond_the_beginning() -> None:
    assert has_letters("." * 1000 + "abcd", 4)
    assert not has_letters("1 2 3 a b", 4)
