"""Lines of five words count, in scripts with and without spaces, and English words are seen in other scripts."""

import pytest

from evalkit.language.confusion import english_words, has_english_word, long_lines


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        ("one two three four five", True),
        ("one two three four", False),
        ("one - two - three - four", False),
        ("one, two. (three) 'four' — five", True),
        ("你好世界，我们今天去爬山", True),
        ("你好世界", False),
        ("私は本を読む", False),
        ("私は毎日図書館で本を読みます。", True),
        ("ห้องสมุดเปิดเวลาเก้านาฬิกา", True),
        ("", False),
    ],
)
def test_a_line_counts_from_five_words_on(line: str, *, counts: bool) -> None:
    assert list(long_lines(f"  {line}\n\n")) == ([line] if counts else [])


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("это however не так", True),
        ("это London не так", False),
        ("это CPU не так", False),
        ("это the не так", False),
        ("это (however) не так", True),
        ("我们however不去", True),
        ("데이터를 search 합니다", True),
        ("데이터search를 합니다", False),
    ],
)
def test_english_words_are_lower_case_and_of_four_letters(line: str, *, found: bool) -> None:
    assert has_english_word(line) is found


def test_the_word_list_is_what_its_licence_file_says() -> None:
    assert len(english_words()) > 30_000
    assert all(word.isascii() and word.islower() and len(word) >= 4 for word in english_words())
