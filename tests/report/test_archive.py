"""What is carried when not everything fits: the telling examples of every language first, the same ones every time."""

from __future__ import annotations

import base64
import gzip
import json
from dataclasses import replace

import pytest

from evalkit.report.archive import build_archive, pack
from evalkit.report.examples import Example, collect
from evalkit.results import RunData


@pytest.fixture(scope="module")
def examples(made_up: RunData) -> list[Example]:
    """Texts that do not compress, so that few of them fit."""
    found = collect(made_up)
    noise = [
        base64.b64encode(gzip.compress(bytes(str(number), "ascii") * 9)).decode() * 3 for number in range(len(found))
    ]
    return [replace(example, text={**example.text, "noise": noise[number]}) for number, example in enumerate(found)]


def carried(examples: list[Example], budget: int) -> set[str]:
    languages = list(dict.fromkeys(example.language for example in examples))
    archive = build_archive(examples, languages=languages, budget=budget)
    assert archive is not None
    assert archive.size <= budget
    kept = set()
    for language, packed in archive.shards.items():
        texts = json.loads(gzip.decompress(base64.b64decode(packed)))
        own = [example for example in examples if example.language == language]
        kept |= {example.id for example, text in zip(own, texts, strict=False) if text is not None}
    assert archive.carried == len(kept)
    return kept


def test_every_language_has_its_worst_best_wrong_and_flipped_examples(examples: list[Example]) -> None:
    kept = carried(examples, 24_000)
    assert 60 < len(kept) < len(examples) / 2
    for language in {example.language for example in examples}:
        own = [example for example in examples if example.language == language]
        here = [example for example in own if example.id in kept]
        assert min(example.score for example in own) in {example.score for example in here}
        assert max(example.score for example in own) in {example.score for example in here}
        for flag in ("wrong", "flipped"):
            if any(getattr(example, flag) for example in own):
                assert any(getattr(example, flag) for example in here)


def test_a_larger_budget_never_drops_what_a_smaller_one_carried_first(examples: list[Example]) -> None:
    small, large = carried(examples, 20_000), carried(examples, 40_000)
    assert len(small & large) > 0.95 * len(small)
    assert len(large) > len(small)


def test_one_enormous_text_does_not_keep_the_others_out(examples: list[Example]) -> None:
    blocks = [pack(number) for number in range(40_000)]
    huge = replace(examples[0], text={"prompt": ["".join(blocks)]})
    kept = carried([huge, *examples[1:]], 40_000)
    assert huge.id not in kept
    assert len(kept) > 60


def test_a_budget_below_the_index_carries_nothing(examples: list[Example]) -> None:
    assert build_archive(examples, languages=[example.language for example in examples], budget=500) is None
