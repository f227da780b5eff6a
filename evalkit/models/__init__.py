"""Providers: one file each, one class each. The name in `provider/model` is the file's name.

A provider turns one `Request` into one `Response`, or raises `CallError` with a `Fault`. It never retries, never limits
its rate, never writes: the dispatcher owns all that. It never lets a key reach an exception message.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from typing import ClassVar, Protocol

from evalkit.calls import Model, Request, Response
from evalkit.errors import InputError, Problem, did_you_mean


class Provider(Protocol):
    """One back end, opened for one model."""

    free: ClassVar[bool]
    """Answers cost neither money nor GPU time: they are asked again each time and never kept in the ledger."""
    exclusive: ClassVar[bool]
    """Holds a device (an in-process engine): opened alone, and closed before another model opens."""

    def __init__(self, model: Model, *, timeout: float) -> None:
        """Open the model. Raises `InputError` where it cannot be used (no key, no such file, no such package)."""

    async def ask(self, request: Request) -> Response:
        """Answer one request; raises `CallError`. May be awaited many times at once."""

    async def close(self) -> None:
        """Let go of connections and memory."""


def provider_names() -> list[str]:
    """Return the names of all providers."""
    return sorted(item.name for item in pkgutil.iter_modules(__path__) if not item.name.startswith("_"))


def provider_class(name: str) -> type[Provider]:
    """Return the class of provider `name`, importing its file and nothing else.

    Raises:
        InputError: there is no such provider.
    """
    if name not in provider_names():
        raise InputError(Problem(message=f"unknown provider {name!r}", hint=did_you_mean(name, provider_names())))
    found: type[Provider] = importlib.import_module(f"{__name__}.{name}").Provider
    return found
