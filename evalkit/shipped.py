"""What ships: suites and judges (at the top of a checkout, inside the package in a wheel), and formats."""

from __future__ import annotations

import ast
import importlib.util
import pkgutil
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


def formats(package: str) -> dict[str, str]:
    """Return the formats in a package (`evalkit.exchange.importers`) and the first line that each says of itself.

    The files are read, not imported, so that help stays quick.
    """
    spec = importlib.util.find_spec(package)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    names = sorted(module.name for module in pkgutil.iter_modules(folders) if not module.name.startswith("_"))
    return {name.replace("_", "-"): _first_line(f"{package}.{name}") for name in names}


def _first_line(module: str) -> str:
    """Return the first line of a module's docstring, without its own name and the full stop."""
    spec = importlib.util.find_spec(module)
    text = Path(spec.origin).read_text("utf-8") if spec and spec.origin else ""
    line = (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0]
    return line.removeprefix(f"{module.rpartition('.')[2].replace('_', '-')}: ").removesuffix(".")
