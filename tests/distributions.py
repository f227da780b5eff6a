"""Installed packages for tests, laid out on disk as pip does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def install(folder: Path, name: str, group: str, entry_points: Mapping[str, str], modules: Mapping[str, str]) -> None:
    """Write a package's metadata, its entry points of one group, and its modules below `folder`."""
    metadata = folder / f"{name}-1.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
    lines = [f"{point} = {target}" for point, target in entry_points.items()]
    (metadata / "entry_points.txt").write_text("\n".join([f"[{group}]", *lines]) + "\n")
    for module, text in modules.items():
        (folder / f"{module}.py").write_text(text, "utf-8")
