"""Whatever stands in a field, an import ends with a run or with a DataError that names the file."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalkit.errors import DataError
from evalkit.exchange import importer
from evalkit.exchange.arena import read_battles
from evalkit.exchange.reader import ImportOptions, SourceFile

ROWS: dict[str, dict[str, Any]] = {
    "alpaca-eval": {
        "instruction": "q", "output_1": "a", "output_2": "b", "generator_1": "old", "generator_2": "new",
        "preference": 1.5, "annotator": "j", "dataset": "d", "price_per_example": 0.1, "id": "1", "language": "de",
    },
    "arena-hard": {
        "uid": "1", "category": "c", "model": "new", "baseline": "old", "judge": "j",
        "games": [{"score": "A>B", "judgment": {"answer": "w"}, "prompt": []}, {"score": None}],
    },
    "fastchat": {
        "question_id": 1, "model_1": "new", "model_2": "old", "g1_winner": "tie", "g2_winner": "model_1",
        "judge": ["j", "p"], "turn": 1, "g1_user_prompt": "p", "g1_judgment": "w",
    },
    "table": {
        "id": "1", "prompt": "p", "language": "de", "winner": "tie", "order": "forward", "repeat": 0, "judge": "j",
        "candidate": "a", "baseline": "b", "category": "c", "reason": "r",
    },
    "deja-vu": {"prompt": "p", "x": "a", "y": "b", "winner": "x", "category": "c"},
    "arena-votes": {
        "id": "1", "model_a": "x", "model_b": "y", "winner": "tie", "language": "de", "both_equal": False,
        "conversation_a": [{"role": "user", "content": "p"}, {"role": "assistant", "content": [{"text": "a"}]}],
        "conversation_b": [],
    },
}  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(allow_nan=True) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@pytest.mark.parametrize("name", sorted(ROWS))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_field_of_any_kind_is_read_or_named(name: str, data: st.DataObject) -> None:
    row = dict(ROWS[name])
    field = data.draw(st.sampled_from(sorted(row)))
    value = data.draw(JSON)
    changed = {**row, field: value} if data.draw(st.booleans()) else {k: v for k, v in row.items() if k != field}
    content: Any = {"de": {"0": [changed]}} if name == "deja-vu" else [changed]
    source = SourceFile(name="f.json", data=json.dumps(content).encode())
    told = ""
    try:
        if name == "arena-votes":
            read_battles([source])
        else:
            importer(name)([source], ImportOptions(candidate="new" if name == "table" else None))
    except DataError as error:
        told = str(error)
    assert not told or "f.json" in told


@settings(max_examples=60, deadline=None)
@given(content=st.binary(max_size=60), suffix=st.sampled_from(["json", "jsonl", "csv", "tsv", "parquet"]))
def test_a_file_of_any_bytes_is_read_or_named(content: bytes, suffix: str) -> None:
    for name in ROWS.keys() - {"arena-votes"}:
        with pytest.raises(DataError, match=rf"f\.{suffix}"):
            importer(name)([SourceFile(name=f"f.{suffix}", data=content)], ImportOptions())
