"""Identify a checkpoint folder by its content: its path never matters, and a retrained model is asked again."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import cache
from pathlib import Path

from evalkit.calls import Model

_WHOLE = 4 << 20
"""Files up to this size (configuration, tokenizer, templates) are read whole, in bytes."""
_BLOCKS, _BLOCK = 64, 64 << 10
"""Larger ones (weights) are read in this many blocks of this many bytes, spread evenly: training changes them all."""


def known_by_content(model: Model) -> Model:
    """Return the model with the digests of its folders on disk, where it has any: the model itself, its adapter."""
    return replace(model, weights=_digest(model.name), adapter=_digest(model.engine.get("lora")))


def _digest(place: str | None) -> str | None:
    return digest(Path(place).resolve()) if place and Path(place).is_dir() else None


@cache
def digest(folder: Path) -> str:
    """Return a SHA-256 (first 32 hex digits) over the folder's files."""
    total = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")):
        size = path.stat().st_size
        total.update(f"{path.relative_to(folder).as_posix()}\0{size}\0".encode())
        with path.open("rb") as file:
            if size <= _WHOLE:
                total.update(file.read())
                continue
            for block in range(_BLOCKS):
                file.seek((size - _BLOCK) * block // (_BLOCKS - 1))
                total.update(file.read(_BLOCK))
    return total.hexdigest()[:32]
