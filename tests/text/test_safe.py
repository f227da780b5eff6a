"""Text of others is shown as text; what cannot be seen has a name; what must not leave is taken out."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.report.sharing import strip
from evalkit.text.safe import first_line, script_json, visible, whole

ANY = st.text(st.characters(codec="utf-8"), max_size=80)


@given(ANY)
def test_visible_text_holds_no_markup_but_its_own_boxes(text: str) -> None:
    shown = str(visible(text))
    for box in ('<span class="ctl" title="', "</span>"):
        shown = shown.replace(box, "")
    assert "<" not in shown
    assert not set(shown) & set("\x00\x1b\u202e\u2066\u200b\ufeff")


def test_hidden_characters_are_named_and_joiners_stay() -> None:
    assert str(visible("a\u202eb")) == 'a<span class="ctl" title="U+202E">RLO</span>b'
    assert str(visible("می‌خواهم 👩‍👩‍👧 क्‍ष")) == "می‌خواهم 👩‍👩‍👧 क्‍ष"


@given(
    st.recursive(ANY, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY, inner, max_size=3), max_leaves=8)
)
def test_json_in_a_script_is_inert_and_lossless(value: object) -> None:
    text = str(script_json(value))
    assert not set(text) & set("<>&\u2028\u2029")
    assert json.loads(text) == json.loads(json.dumps(value))


def test_lone_surrogates_become_replacement_characters() -> None:
    assert whole("a\ud83db") == "a\ufffdb"
    assert whole("😀") == "😀"


@given(st.text(max_size=400), st.integers(0, 60))
def test_a_first_line_is_short_and_one_line(text: str, length: int) -> None:
    line = first_line(text, length)
    assert len(line) <= length + 1
    assert "\n" not in line


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("evalkit run xalpaca --candidate openai/gpt-4.1-mini", "evalkit run xalpaca --candidate openai/gpt-4.1-mini"),
        ("--candidate openai/aya@http://10.0.0.7:8000/v1", "--candidate openai/aya@[removed]"),
        ("--data /home/ada/data --limit 5", "--data [removed] --limit 5"),
        ("--out ../private/run", "--out [removed]"),
        ("no such file: /srv/models/aya/config.json", "no such file: [removed]"),
        ("C:\\Users\\ada\\run failed", "[removed] failed"),
        ("ssh ada@gpu7.example.org", "ssh [removed]"),
        ("wins 1/2 of pairs and/or ties", "wins 1/2 of pairs and/or ties"),
    ],
)
def test_sharing_strips_places_and_people_and_nothing_else(text: str, kept: str) -> None:
    assert strip(text) == kept
