"""The parsers read what judges really write, and take nothing else for a verdict."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.calls import Response, Unreadable
from evalkit.records import Choice, Verdict
from tests.judging.pairs import hear, shipped_judge
from tests.judging.real_replies import REPLIES, form

AYA, ARENA, MT = map(shipped_judge, ("aya-pairwise", "arena-5level", "mt-bench-pairwise"))
JUDGES = {judge.name: judge for judge in (AYA, ARENA, MT)}


@pytest.mark.parametrize(("judge", "language", "reply", "expected"), REPLIES)
def test_a_real_reply_is_read_as_a_careful_reader_would(
    judge: str, language: str, reply: str, expected: str | None
) -> None:
    heard = hear(JUDGES[judge], reply)
    if expected is None:
        assert isinstance(heard, Unreadable), heard
        assert heard.kind == "unreadable"
        assert heard.message
    else:
        assert isinstance(heard, Verdict), heard
        assert heard.choice == Choice(expected)


def test_the_table_is_as_large_as_it_should_be() -> None:
    assert len(REPLIES) >= 80
    assert len({language for _, language, _, _ in REPLIES}) >= 10


@pytest.mark.parametrize(
    ("reply", "choice"),
    [
        ("Feedback: Response A is right. [RESULT] A", "A"),
        ("Feedback: both are short.\n\n[RESULT]B", "B"),
        ("[Result] (B).", "B"),
        ('… [RESULT] "A"', "A"),
        ("**[RESULT] B**", "B"),
        ("Response A is better.", None),
        ("[RESULT] Both are good", None),
        ("[RESULT] A or B", None),
        ("[RESULT] A [RESULT] B", None),
        ("[RESULT] A\nI hope this helps.", None),
    ],
)
def test_prometheus_verdicts_are_read_whole(reply: str, choice: str | None) -> None:
    heard = hear(shipped_judge("m-prometheus"), reply)
    assert (heard.choice if isinstance(heard, Verdict) else None) == choice


def test_levels_keep_their_grade() -> None:
    grades = {
        level: hear(ARENA, f"[[{level}]]").graded  # type: ignore[union-attr]
        for level in ("A>>B", "A>B", "A=B", "B>A", "B>>A")
    }
    assert grades == {"A>>B": 1, "A>B": 0.75, "A=B": 0.5, "B>A": 0.25, "B>>A": 0}


def test_the_reason_and_the_languages_stay_with_the_verdict() -> None:
    heard = hear(AYA, form("A", reason="B is in English.", b="wrong"))
    assert isinstance(heard, Verdict)
    assert heard.reason == "B is in English."
    assert heard.notes == {"language_a": "ok", "language_b": "wrong"}
    line = hear(MT, "First weighs more.\nSecond is brief.\n[[A]]")
    assert isinstance(line, Verdict)
    assert line.reason == "First weighs more.\nSecond is brief."


@pytest.mark.parametrize(
    ("finish", "kind"), [("length", "truncated"), ("content_filter", "refused"), ("refusal", "refused")]
)
def test_a_reply_cut_off_or_refused_is_no_verdict_even_if_it_looks_like_one(finish: str, kind: str) -> None:
    heard = hear(AYA, Response(text=form("A"), finish_reason=finish))
    assert isinstance(heard, Unreadable)
    assert heard.kind == kind


@settings(max_examples=300, deadline=None)
@given(reason=st.text(max_size=200), verdict=st.sampled_from(["A", "B", "TIE"]), fence=st.booleans())
def test_whatever_the_reason_says_the_form_decides(reason: str, verdict: str, *, fence: bool) -> None:
    text = json.dumps(
        {"language_a": "ok", "language_b": "ok", "reason": reason, "verdict": verdict}, ensure_ascii=False
    )
    heard = hear(AYA, f"```json\n{text}\n```" if fence else text)
    assert isinstance(heard, Verdict)
    assert heard.choice == Choice(verdict)


@settings(max_examples=300, deadline=None)
@given(before=st.text(max_size=300), verdict=st.sampled_from(["A", "B", "C"]))
def test_whatever_stands_above_the_last_line_decides_nothing(before: str, verdict: str) -> None:
    heard = hear(MT, f"{before}\n\n[[{verdict}]]") if not before.strip().startswith("<think>") else None
    assert heard is None or (isinstance(heard, Verdict) and heard.choice == Choice({"C": "TIE"}.get(verdict, verdict)))


@settings(max_examples=500, deadline=None)
@given(text=st.text(max_size=400))
def test_any_text_is_a_verdict_or_unreadable_and_never_an_error(text: str) -> None:
    for judge in JUDGES.values():
        assert isinstance(hear(judge, text), Verdict | Unreadable)


@pytest.mark.parametrize(
    "text", ["{" * 50_000, '{"a":' * 50_000, "[[" * 50_000, "```" * 50_000, '{"a": 1' + "0" * 50_000 + "}"]
)
def test_hostile_lengths_are_unreadable_not_errors(text: str) -> None:
    for judge in JUDGES.values():
        assert isinstance(hear(judge, text), Unreadable)
