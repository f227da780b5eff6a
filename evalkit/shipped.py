"""Suites and judges that ship: at the top of a checkout, inside the package in a wheel."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

Shelf = Literal["suites", "judges"]


def shipped(shelf: Shelf) -> Path:
    """Return the folder of shipped suites or judges."""
    package = Path(__file__).resolve().parent
    inside = package / "shipped" / shelf
    return inside if inside.is_dir() else package.parent / shelf


def shipped_names(shelf: Shelf) -> list[str]:
    """Return the bare names that can be used in place of a path."""
    return sorted(path.stem for path in shipped(shelf).glob("*.yaml"))


def shipped_file(shelf: Shelf, name: str) -> Path | None:
    """Return the file of a bare name, or None where none ships under it."""
    path = shipped(shelf) / f"{name}.yaml"
    return path if name in shipped_names(shelf) else None
