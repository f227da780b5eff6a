"""Plug-ins: what installed packages declare under an entry point group (`evalkit.providers`, `evalkit.scorers`).

A suite names a plug-in. A suite from elsewhere can thus call nothing but what somebody installed to be called.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Any

from evalkit.errors import InputError, Problem


def installed_plugins(group: str) -> dict[str, EntryPoint]:
    """Return the plug-ins of a group by name."""
    return {point.name: point for point in entry_points(group=group)}


def load_plugin(group: str, name: str, *, where: str) -> Any:
    """Import an installed plug-in and return what its entry point names; `where` is how errors call it.

    Raises:
        InputError: it cannot be imported.
    """
    try:
        return installed_plugins(group)[name].load()
    except Exception as fault:  # whatever importing other people's code raises
        problem = Problem(where=where, message=f"cannot be imported: {type(fault).__name__}: {fault}")
        raise InputError(problem) from fault
