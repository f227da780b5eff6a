"""Other tools' files: read as runs, and runs written as theirs. Pure: bytes in, records out, and the other way round.

A format is one file in `importers/` or `exporters/`; the command line finds it there.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from evalkit.exchange.assemble import ImportedRun
    from evalkit.exchange.exporters import Export, ExportOptions
    from evalkit.exchange.reader import ImportOptions, SourceFile
    from evalkit.results import RunData


def importer(name: str) -> Callable[[Sequence[SourceFile], ImportOptions], tuple[ImportedRun, ...]]:
    """Return the reader of format `name`: files in, runs (without figures) out."""
    module = importlib.import_module(f"{__name__}.importers.{name.replace('-', '_')}")
    read: Callable[[Sequence[SourceFile], ImportOptions], tuple[ImportedRun, ...]] = module.read
    return read


def exporter(name: str) -> Callable[[RunData, ExportOptions], Export]:
    """Return the writer of format `name`."""
    module = importlib.import_module(f"{__name__}.exporters.{name.replace('-', '_')}")
    write: Callable[[RunData, ExportOptions], Export] = module.write
    return write
