"""The embedded judge's rules: no position, each part for what it is there, ties when close."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.models._offline_rules import Case, Part, completeness, relevance, rule, score, total, variety
from evalkit.records import Choice, LanguageStatus

REQUEST = "Warum ist der Himmel am Abend oft rot, mittags aber blau?"
GOOD = (
    "Mittags legt das Licht einen kurzen Weg durch die Luft zurück, und das gestreute blaue Licht färbt den Himmel. "
    "Am Abend ist der Weg viel länger; das Blau geht verloren, und der Himmel erscheint rot."
)
ENGLISH = "At noon the sky is blue because air scatters blue light; in the evening the path is longer, and red is left."
OFF_TOPIC = "Zum Backen eines Kuchens braucht man Mehl, Zucker, Eier und Butter. Alles wird gut verrührt und gebacken."

SWAPPED = {Choice.A: Choice.B, Choice.B: Choice.A, Choice.TIE: Choice.TIE}


def case(a: str, b: str, request: str = REQUEST, expected: str = "de") -> Case:
    return Case(request=request, expected=expected, answer_a=a, answer_b=b)


def verdict(a: str, b: str) -> Choice:
    return rule([case(a, b)])[0].verdict


@pytest.mark.parametrize("worse", ["", "Ja.", ENGLISH, OFF_TOPIC, GOOD[:95], REQUEST, "Der Himmel ist rot. " * 12])
def test_a_good_answer_beats_what_is_empty_foreign_beside_the_point_cut_off_copied_or_repeated(worse: str) -> None:
    assert verdict(GOOD, worse) is Choice.A
    assert verdict(worse, GOOD) is Choice.B


def test_equal_answers_tie() -> None:
    assert verdict(GOOD, GOOD) is Choice.TIE
    assert verdict("", "") is Choice.TIE
    assert verdict(GOOD, GOOD.replace("viel länger", "länger")) is Choice.TIE


def test_padding_gains_nothing_in_the_end() -> None:
    long, longer = GOOD * 20, GOOD * 40
    assert score(REQUEST, longer, language=1)[Part.LENGTH] - score(REQUEST, long, language=1)[Part.LENGTH] < 0.01


def test_language_does_not_count_where_both_are_in_another_one() -> None:
    (ruling,) = rule([case(ENGLISH, "Please see above.")])
    assert (ruling.language_a, ruling.language_b) == (LanguageStatus.WRONG, LanguageStatus.NONE)
    (ruling,) = rule([case(ENGLISH, ENGLISH.replace("longer", "so much longer"), request="Übersetze ins Englische: …")])
    assert (ruling.language_a, ruling.language_b) == (LanguageStatus.WRONG, LanguageStatus.WRONG)
    assert "language does not count" in ruling.reason
    assert ruling.verdict is Choice.TIE


def test_every_part_is_told_with_both_totals() -> None:
    (ruling,) = rule([case(GOOD, ENGLISH)])
    for part in Part:
        assert ruling.reason.count(f"{part} ") >= 2
    assert f"{total(score(REQUEST, GOOD, language=1)):.2f}" in ruling.reason


@pytest.mark.parametrize(
    ("request_", "near", "far"),
    [
        ("怎样保存新鲜的面包？", "新鲜面包可以放进布袋保存两天。", "足球比赛有十一名队员。"),
        ("วิธีเก็บขนมปังให้สดใหม่", "เก็บขนมปังสดใหม่ในถุงผ้า", "ฟุตบอลมีผู้เล่นสิบเอ็ดคน"),
        ("كيف أحفظ الخبز الطازج؟", "يُحفظ الخبز الطازج في كيس من القماش.", "يلعب أحد عشر لاعبا كرة القدم."),
        ("ताज़ी रोटी कैसे रखें?", "ताज़ी रोटी को कपड़े में लपेटकर रखें।", "फुटबॉल में ग्यारह खिलाड़ी होते हैं।"),
        ("갓 구운 빵을 어떻게 보관하나요?", "갓 구운 빵은 천 주머니에 보관하세요.", "축구는 열한 명이 합니다."),
    ],
)
def test_relevance_is_seen_in_every_kind_of_script(request_: str, near: str, far: str) -> None:
    assert relevance(request_, near) > relevance(request_, far) + 0.2


def test_completeness_checks_the_end_the_number_of_items_and_code() -> None:
    assert completeness("Nenne 3 Farben.", "1. Rot\n2. Blau\n3. Gelb") == 1
    assert completeness("Nenne 3 Farben.", "1. Rot\n2. Blau") < 1
    assert completeness("Write a Python function.", "```python\ndef f(): ...\n```") == 1
    assert completeness("Write a Python function.", "You could use a loop.") < 1
    assert completeness("Say hello.", "```python\nprint('hello')") == 0
    cut_off = "This sentence is long enough to be a sentence and then it stops in the"
    assert completeness("Say hello.", cut_off) < completeness("Say hello.", f"{cut_off} end.")


def test_repetition_is_seen_with_and_without_spaces() -> None:
    assert variety("the same words " * 20) < 0.2
    assert variety("同样的话一说再说。" * 20) < 0.2
    assert variety(GOOD) == 1


TEXT = st.text(max_size=80) | st.sampled_from(
    [GOOD, ENGLISH, OFF_TOPIC, "你好，世界。", "مرحبا بالعالم", "1. a\n2. b", "```"]
)


@settings(max_examples=60, deadline=None)
@given(request=TEXT, a=TEXT, b=TEXT, expected=st.sampled_from(["de", "en", "zh", "ar", "ts"]))
def test_swapping_the_answers_swaps_the_ruling(request: str, a: str, b: str, expected: str) -> None:
    forward, swapped = rule([case(a, b, request, expected), case(b, a, request, expected)])
    assert swapped.verdict is SWAPPED[forward.verdict]
    assert (swapped.language_a, swapped.language_b) == (forward.language_b, forward.language_a)
    for text in (a, b):
        parts = score(request, text, language=1)
        assert all(0 <= value <= 1 for value in parts.values())
