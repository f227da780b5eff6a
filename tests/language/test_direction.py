"""A paragraph runs as most of its letters do, whatever it begins with."""

import pytest

from evalkit.language.direction import Direction, paragraph_direction


@pytest.mark.parametrize(
    ("text", "direction"),
    [
        ("Python هي لغة برمجة سهلة التعلم", "rtl"),
        ("The word سلام means peace", "ltr"),
        ("שלום לכולם", "rtl"),
        ("ދިވެހި", "rtl"),
        ("你好 (hello)", "ltr"),
    ],
)
def test_the_majority_of_letters_decides(text: str, direction: Direction) -> None:
    assert paragraph_direction(text) == direction


@pytest.mark.parametrize("text", ["", "123 …", "aא"])
def test_without_a_majority_the_default_holds(text: str) -> None:
    assert paragraph_direction(text, default="rtl") == "rtl"
    assert paragraph_direction(text, default="ltr") == "ltr"
