"""What the page carries: an index of every example, and as many texts as its budget of bytes allows.

Both are gzip in base64, the one compression every browser reads from a local file (`DecompressionStream`). Texts lie in
one shard a language, and the browser unpacks a shard when one of its examples is opened. The worst, best,
wrong-language and flipped examples and a random sample of each language go first, in turns.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from evalkit.report.examples import Example, slice_values

PREVIEWS = (80, 40, 16, 0)
"""Lengths of the prompts' beginnings in the index; shorter ones where the budget is tight."""
_LEVEL = 6
"""gzip 9 saves 0.3 % more and takes twice as long."""
_PROBE = 1_000_000
"""Bytes of a language's texts that tell how well they compress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """The packed part of a page."""

    index: str
    shards: dict[str, str]
    """Language → packed texts; entries that did not fit are null."""
    examples: int
    carried: int
    """Examples whose texts are in the page."""

    @property
    def size(self) -> int:
        """Bytes of index and texts."""
        return len(self.index) + sum(len(text) for text in self.shards.values())


def pack(value: Any) -> str:
    """Return the value as base64 of gzip of JSON, the same bytes every time."""
    return pack_bytes(json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode())


def pack_bytes(data: bytes) -> str:
    """Return base64 of gzip, without a time stamp."""
    return base64.b64encode(gzip.compress(data, _LEVEL, mtime=0)).decode("ascii")


def build_archive(examples: Sequence[Example], *, languages: Sequence[str], budget: int) -> Archive | None:
    """Pack the examples into at most `budget` bytes; None where not even the index fits."""
    index = _fitting_index(examples, languages, budget)
    if index is None:
        return None
    room = budget - len(index)
    ranked = _by_interest(examples)
    sizes = _packed_sizes(examples)
    scale = 1.0
    while True:
        carried = _take(ranked, sizes, room * scale)
        shards = _shards(examples, carried)
        archive = Archive(index=index, shards=shards, examples=len(examples), carried=len(carried))
        if archive.size <= budget:
            return archive
        if not carried:
            return Archive(index=index, shards={}, examples=len(examples), carried=0)
        scale *= 0.98 * room / max(1, archive.size - len(index))


def smallest_index(examples: Sequence[Example], languages: Sequence[str]) -> int:
    """Return the bytes that the index takes without the prompts' beginnings."""
    return len(pack(_index(examples, languages, 0)))


def _fitting_index(examples: Sequence[Example], languages: Sequence[str], budget: int) -> str | None:
    """The index with the longest previews that leave half of the budget to texts, or the shortest that fits at all."""
    packed = ""
    for length in PREVIEWS:
        packed = pack(_index(examples, languages, length))
        if len(packed) <= budget / 2:
            return packed
    return packed if len(packed) <= budget else None


def _index(examples: Sequence[Example], languages: Sequence[str], preview: int) -> dict[str, list[Any]]:
    """Columns over all examples: small, and quick to filter."""
    slices = slice_values(examples)
    numbers = {language: number for number, language in enumerate(languages)}
    slots = {part: number for number, part in enumerate(slices)}
    places: dict[str, int] = defaultdict(int)
    rows = []
    for example in examples:
        rows.append(places[example.language])
        places[example.language] += 1
    return {
        "id": [example.id for example in examples],
        "language": [numbers[example.language] for example in examples],
        "place": rows,
        "outcome": [example.outcome[0] for example in examples],
        "score": [None if math.isnan(example.score) else round(example.score, 3) for example in examples],
        "flags": [_flags(example) for example in examples],
        "ratio": [round(example.ratio, 2) for example in examples],
        "slices": [[slots[part] for part in example.slices] for example in examples],
        "preview": [example.preview[:preview] for example in examples],
        "sliceNames": slices,
    }


def _flags(example: Example) -> int:
    """Bits: 1 flipped, 2 candidate in another language, 4 baseline in another language, 8 failed."""
    return example.flipped | example.wrong << 1 | example.baseline_wrong << 2 | example.failed << 3


def _by_interest(examples: Sequence[Example]) -> list[Example]:
    """All examples, those that tell most first, alternating between languages and kinds."""
    lists: list[tuple[int, list[Example]]] = []
    by_language: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        by_language[example.language].append(example)
    for found in by_language.values():
        scored = [example for example in found if not math.isnan(example.score)]
        lists += [
            (1, sorted(scored, key=lambda example: (example.score, example.ratio))),
            (2, sorted(scored, key=lambda example: (-example.score, example.ratio))),
            (2, _shuffled(found)),
            (1, _shuffled(example for example in found if example.wrong or example.failed)),
            (2, _shuffled(example for example in found if example.flipped)),
        ]
    turns: dict[str, int] = {}
    for step, ranked in lists:
        for place, example in enumerate(ranked):
            turn = (place + 1) * step
            turns[example.id] = min(turn, turns.get(example.id, turn))
    return sorted(examples, key=lambda example: (turns[example.id], _draw(example)))


def _shuffled(examples: Iterable[Example]) -> list[Example]:
    return sorted(examples, key=_draw)


def _draw(example: Example) -> str:
    """A random order that is the same every time and does not lean on the order of the prompts."""
    return hashlib.sha256(example.id.encode()).hexdigest()


def _packed_sizes(examples: Sequence[Example]) -> dict[str, float]:
    """Estimate what each example's texts take in the page, by the compression of its language."""
    raw = {example.id: _json(example) for example in examples}
    probes: dict[str, bytearray] = defaultdict(bytearray)
    for example in examples:
        probe = probes[example.language]
        if len(probe) < _PROBE:
            probe += raw[example.id][: _PROBE - len(probe)]
    rates = {
        language: len(pack_bytes(bytes(probe))) / max(1, len(probe)) if probe else 1.0
        for language, probe in probes.items()
    }
    return {example.id: len(raw[example.id]) * rates[example.language] for example in examples}


def _json(example: Example) -> bytes:
    return json.dumps(example.text, ensure_ascii=False, separators=(",", ":")).encode()


def _take(ranked: Sequence[Example], sizes: dict[str, float], room: float) -> set[str]:
    """Take examples in turn while they fit; one that is too large does not keep the rest out."""
    taken: set[str] = set()
    for example in ranked:
        if sizes[example.id] <= room:
            room -= sizes[example.id]
            taken.add(example.id)
    return taken


def _shards(examples: Sequence[Example], carried: set[str]) -> dict[str, str]:
    texts: dict[str, list[Any]] = defaultdict(list)
    for example in examples:
        texts[example.language].append(example.text if example.id in carried else None)
    return {
        language: pack(_without_tail(rows)) for language, rows in texts.items() if any(row is not None for row in rows)
    }


def _without_tail(rows: list[Any]) -> list[Any]:
    """Leave out the nulls at the end; the browser reads past it as null."""
    end = len(rows)
    while end and rows[end - 1] is None:
        end -= 1
    return rows[:end]
