"""A checkpoint on disk is known by its content: moving it asks nothing, training it further asks anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalkit.calls import Model, Request
from evalkit.models import _checkpoint
from evalkit.models._checkpoint import digest, known_by_content


def checkpoint(folder: Path, weights: bytes) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(weights)
    return folder


def key(model: Model) -> str:
    return Request(model=known_by_content(model), messages=()).key()


def test_a_moved_checkpoint_keeps_its_key_and_never_tells_its_place(tmp_path: Path) -> None:
    here, there = (checkpoint(tmp_path / place / "step-10", b"w" * 1000) for place in ("a", "b"))
    assert key(Model(provider="vllm", name=str(here))) == key(Model(provider="vllm", name=str(there)))
    known = known_by_content(Model(provider="vllm", name=str(here)))
    assert str(known) == "vllm/step-10"
    assert str(tmp_path) not in str(known.identity())


def test_a_model_of_the_hub_is_known_by_its_name() -> None:
    model = Model(provider="vllm", name="CohereLabs/aya-expanse-8b")
    assert known_by_content(model) == model


def test_an_adapter_is_known_by_its_content_too(tmp_path: Path) -> None:
    one, same, other = (checkpoint(tmp_path / str(n), weights) for n, weights in enumerate((b"1", b"1", b"2")))
    models = [Model(provider="vllm", name="org/base", engine={"lora": str(folder)}) for folder in (one, same, other)]
    keys = [key(model) for model in models]
    assert keys[0] == keys[1] != keys[2]
    assert str(known_by_content(models[0])) == "vllm/org/base"


@pytest.mark.parametrize("place", [0, 5_000, 9_999])
def test_trained_weights_have_another_digest(tmp_path: Path, place: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_checkpoint, "_WHOLE", 100)
    monkeypatch.setattr(_checkpoint, "_BLOCK", 200)
    weights = bytearray(10_000)
    before = digest(checkpoint(tmp_path / "before", bytes(weights)))
    weights[place] = 1
    after = digest(checkpoint(tmp_path / "after", bytes(weights)))
    assert before != after
