"""`recorded/PATH`: answers made elsewhere. They are read from files when a run is loaded, never asked for.

This file holds what every provider says of itself, and refuses the places where only a model can answer.
"""

from __future__ import annotations

from typing import ClassVar, NoReturn

from evalkit.calls import CallError, Fault, Model, Request
from evalkit.errors import InputError, Problem


class Provider:
    """Answers on disk."""

    free: ClassVar[bool] = True
    in_process: ClassVar[bool] = False

    def __init__(self, model: Model, *, timeout: float) -> None:
        """Refuse to be asked.

        Raises:
            InputError: always.
        """
        del timeout
        hint = "name a model here; recorded answers can be a candidate or the baseline"
        raise InputError(Problem(message=f"{model} is a file of answers and cannot be asked", hint=hint))

    async def ask(self, request: Request) -> NoReturn:
        """Raise `CallError`: there is nothing to ask."""
        del request
        raise CallError(Fault.UNSUPPORTED, "recorded answers are read, not asked for")

    async def close(self) -> None:
        """Nothing is open."""
