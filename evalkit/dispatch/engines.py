"""The engine that is loaded in this process: it stays until another one is wanted, for loading takes minutes."""

from __future__ import annotations

import asyncio

from evalkit.calls import Model
from evalkit.models import Provider


class Engines:
    """At most one exclusive provider at a time, kept open between fetches."""

    def __init__(self) -> None:
        self._name = ""
        self._engine: Provider | None = None

    async def take(self, name: str, model: Model, provider: type[Provider], *, timeout: float) -> Provider:  # noqa: ASYNC109 - of its requests, not of loading
        """Return the engine of `name`: the one that is loaded, or a new one after that is closed.

        Raises:
            InputError: the model cannot be loaded.
        """
        if self._engine is not None and self._name == name:
            return self._engine
        await self.close()
        # In a thread, so that Ctrl-C is heard while weights are read.
        self._engine = await asyncio.to_thread(provider, model, timeout=timeout)
        self._name = name
        return self._engine

    async def close(self) -> None:
        """Take the engine out of memory."""
        engine, self._engine = self._engine, None
        if engine is not None:
            await engine.close()
