"""Files on disk: written whole or not at all, and every fault of the disk told as one kind of problem."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from pathlib import Path

from evalkit.errors import InputError, Problem


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file so that a reader, or a crash, sees the old file or the new one and nothing between."""
    data = content.encode("utf-8", "replace") if isinstance(content, str) else content
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(data)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_all(files: Mapping[Path, str | bytes], *, error: type[InputError] = InputError, option: str = "path") -> None:
    """Write each file whole, and make the folders that are missing.

    A full disk is no fault of the path: that `OSError` goes on to the command line, which asks to run again.

    Raises:
        InputError: a file cannot be written (of the type given as `error`; the hint names `option`). What stood there
            before stays.
    """
    for path, content in files.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, content)
        except OSError as fault:
            if fault.errno == errno.ENOSPC:
                raise
            in_the_way = isinstance(fault, FileExistsError | NotADirectoryError)
            reason = "a file stands where a folder should" if in_the_way else fault.strerror
            problem = Problem(where=str(path), message=f"cannot write: {reason}", hint=f"choose another {option}")
            raise error(problem) from None
