"""Files on disk: read and written whole, and what goes wrong named as a problem with its path."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from pathlib import Path

from evalkit.errors import DataError, InputError, Problem
from evalkit.tables import DataTable, format_of, parse_table


def read_file(path: Path, *, name: str = "") -> bytes:
    """Return the content of a file; `name` is what messages call it, by default its path.

    Raises:
        DataError: it is missing, a folder, or cannot be read.
    """
    called = name or str(path)
    if path.is_dir():
        hint = "name the file; `{language}` stands for the languages of a folder of files"
        raise DataError(Problem(where=called, message="a folder stands where a file should", hint=hint))
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise DataError(Problem(where=called, message="no such file")) from None
    except OSError as fault:
        raise DataError(Problem(where=called, message=f"cannot be read: {fault.strerror}")) from None


def read_table(path: Path, *, name: str = "") -> DataTable:
    """Return the table in a file, whose ending says its format; arguments and errors as of `read_file`."""
    return parse_table(read_file(path, name=name), name=name or str(path), suffix=format_of(path.name))


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
