"""Profiles of texts, in scripts of several kinds."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from evalkit.records import Generation
from evalkit.statistics.profile import mtld, profile, repetition, words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Don't panic, Straße!", ["don't", "panic", "strasse"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("我爱你。", ["我", "爱", "你"]),
        ("ภาษา", ["ภ", "า", "ษ", "า"]),
        ("مرحبا بالعالم", ["مرحبا", "بالعالم"]),
        ("!!!", []),
    ],
)
def test_words_in_any_script(text: str, found: list[str]) -> None:
    assert words(text) == found


def test_lexical_diversity_falls_with_repetition() -> None:
    varied = [f"word{index}" for index in range(200)]
    assert mtld(varied) == 200
    assert mtld(["a", "b"] * 100) == pytest.approx(3, abs=0.5)
    assert mtld([f"w{index % 30}" for index in range(200)]) < 60
    assert math.isnan(mtld([]))


def test_mtld_of_a_worked_example() -> None:
    """a b a a: the ratio is 2/3 after `a b a` (one factor), then `a` alone has ratio 1 (no part of a factor)."""
    forward = 4 / 1
    backward = 4 / (1 + (1 - 1) / 0.28)  # a a: 1/2, a factor; then b a, ratio 1
    assert mtld(["a", "b", "a", "a"]) == pytest.approx((forward + backward) / 2)


def test_repetition_counts_sequences_that_stood_before() -> None:
    assert repetition(["a", "b", "c", "d"] * 2) == pytest.approx(1 / 5)
    assert repetition(["a"] * 3) == 0
    assert repetition([f"{index}" for index in range(50)]) == 0


def answer(model: str, language: str, text: str) -> Generation:
    return Generation(model=model, prompt_id="1", language=language, text=text)


def test_profiles_stand_side_by_side_within_a_language() -> None:
    answers = [
        answer("a", "de", "Eins zwei drei. Vier fünf sechs!"),
        answer("b", "de", "# Titel\n- **fett**"),
        answer("a", "de", "   "),
        answer("a", "zh", "你好。"),
    ]
    found = {(row.model, row.language): row for row in profile(answers, scorers={"length": lambda text, _: len(text)})}
    assert set(found) == {("a", "de"), ("a", "zh"), ("b", "de")}
    de = found["a", "de"]
    assert (de.n, de.words, de.sentence_words) == (1, 6, 3)
    assert math.isnan(de.diversity)
    assert de.scores == {"length": 32}
    assert found["b", "de"].headings == pytest.approx(1000 / 18)


def test_a_scorer_may_abstain() -> None:
    answers = [answer("a", "de", "gut"), answer("a", "de", "böse")]
    row = profile(answers, scorers={"toxicity": lambda text, _: 1.0 if text == "böse" else math.nan})[0]
    assert row.scores["toxicity"] == 1


def test_the_documented_scorer_runs() -> None:
    """The example of docs/statistics.md, with a detector that finds every text half toxic."""
    text = (Path(__file__).parents[2] / "docs" / "statistics.md").read_text("utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)

    class Detoxify:
        def predict(self, text: str) -> dict[str, float]:
            return {"toxicity": len(text) * 0 + 0.5}

    names = {"detoxify": Detoxify(), "answers": [answer("a", "en", "hello"), answer("a", "de", "hallo")]}
    exec(compile(example, "docs/statistics.md", "exec"), names)
    found = {row.language: row.scores["toxicity"] for row in names["rows"]}
    assert found["en"] == 0.5
    assert math.isnan(found["de"])
