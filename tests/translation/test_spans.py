"""What a translation must keep is found, and nothing that it must translate."""

from __future__ import annotations

import pytest

from evalkit.translation.spans import SpanKind, code_of, json_blocks, kept_spans, shape


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Explain this:\n```python\nx = 1\n```\nThanks", [(SpanKind.CODE, "```python\nx = 1\n```")]),
        ("It ends open:\n```\nx = 1", [(SpanKind.CODE, "```\nx = 1")]),
        ("Use `a` and ``b ` c``.", [(SpanKind.INLINE_CODE, "`a`"), (SpanKind.INLINE_CODE, "``b ` c``")]),
        ("Solve $x^2 = 4$ for $5 and $6.", [(SpanKind.FORMULA, "$x^2 = 4$")]),
        (
            r"Prove \(a+b\) and \[c\] and $$d$$.",
            [(SpanKind.FORMULA, r"\(a+b\)"), (SpanKind.FORMULA, r"\[c\]"), (SpanKind.FORMULA, "$$d$$")],
        ),
        ('Parse {"a": [1, "b"]} now.', [(SpanKind.JSON, '{"a": [1, "b"]}')]),
        (
            "See https://example.org/a?b=c, or www.x.org.",
            [(SpanKind.ADDRESS, "https://example.org/a?b=c"), (SpanKind.ADDRESS, "www.x.org")],
        ),
        ("Write to me.you+x@example.org!", [(SpanKind.ADDRESS, "me.you+x@example.org")]),
        (
            "Dear {name}, {{ user }} has %d of ${N}.",
            [(SpanKind.PLACEHOLDER, p) for p in ("{name}", "{{ user }}", "%d", "${N}")],
        ),
        (
            "Fill [CITY] and <TOPIC> in [a link](https://x.org).",
            [(SpanKind.PLACEHOLDER, "[CITY]"), (SpanKind.PLACEHOLDER, "<TOPIC>"), (SpanKind.ADDRESS, "https://x.org")],
        ),
        ('Make <b class="x">bold</b>.', [(SpanKind.TAG, '<b class="x">'), (SpanKind.TAG, "</b>")]),
        (
            "Call os.path.join() on my_file and readLine in data.csv, @ana",
            [(SpanKind.NAME, n) for n in ("os.path.join()", "my_file", "readLine", "data.csv", "@ana")],
        ),
        ("Angela Merkel went to New York, e.g. in 2009. It cost $5, or 5 %.", []),
        ("如果 x<y 且 y>z，那么？ 1. Erstens (siehe unten) 2. Zweitens", []),
    ],
)
def test_spans(text: str, kept: list[tuple[SpanKind, str]]) -> None:
    assert [(span.kind, span.text) for span in kept_spans(text)] == kept
    assert all(text[span.start : span.end] == span.text for span in kept_spans(text))


def test_the_shape_of_json_is_its_keys_and_types() -> None:
    (_, _, ours), (_, _, theirs), (_, _, broken) = json_blocks('{"a": ["x", 1]} {"a": ["ein X", 1]} {"ein": ["x", 1]}')
    assert shape(ours) == shape(theirs) != shape(broken)


def test_code_is_compared_without_comments_texts_and_spaces() -> None:
    ours, theirs = (
        kept_spans(f"```py\nprint( '{text}' )  # {note}\n```")[0] for text, note in (("a", "b"), ("ä", "ß"))
    )
    assert code_of(ours) == code_of(theirs) == "print('')"
