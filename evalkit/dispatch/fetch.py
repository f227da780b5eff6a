"""Tasks, less those that the ledger has answered: asked by model, one queue each."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from evalkit.calls import Model, Response
from evalkit.dispatch.queue import FetchState, ModelQueue, PendingRequest
from evalkit.dispatch.stop import StopSignal, listening_to_ctrl_c
from evalkit.dispatch.types import Event, EventKind, Fetched, Limits, Task
from evalkit.errors import Problem, raise_all
from evalkit.ledger import Ledger
from evalkit.models import Provider, provider_class
from evalkit.pricing import Pricing


async def fetch(
    tasks: Sequence[Task],
    *,
    ledger: Ledger,
    limits: Limits,
    pricing: Pricing,
    progress: Callable[[Event], None],
    engines: Engines | None = None,
    rng: random.Random | None = None,
) -> Fetched:
    """Return the responses to all tasks: from the ledger where it has them, else from the models by way of the ledger.

    Where the error budget, a cap or Ctrl-C ended the fetch early, `stopped` of the result says so.

    `progress` is called for every event, in the event loop's thread. `engines` keeps an in-process engine in memory for
    the next fetch; without it, the engine is closed at the end. `rng` jitters the waits before retries.

    Raises:
        InputError: a model cannot be used (no key, unknown provider, a cost cap and no price); nothing was asked.
        CredentialsError: a server refused the key; what was fetched before is in the ledger.
    """
    groups = _by_model(tasks)
    responses = ledger.lookup(key for group in groups if not group.provider.free for key in group.requests)
    missing = [group.without(responses) for group in groups]
    unpriced = sorted({str(group.model) for group in missing if group.requests and pricing.rate(group.model) is None})
    if limits.max_cost is not None:
        _refuse_cap_without_price(unpriced)

    deadline = None if limits.max_time is None else asyncio.get_running_loop().time() + limits.max_time
    sizes = Counter(pending.task.stage for group in groups for pending in group.requests.values())
    state = FetchState(
        ledger=ledger,
        pricing=pricing,
        limits=limits,
        stop=StopSignal(limits, sizes, deadline=deadline),
        progress=progress,
        rng=rng or random.Random(),  # noqa: S311 - jitter needs no cryptography
        responses=dict(responses),
    )
    for group in groups:
        for key in responses.keys() & group.requests.keys():
            state.report(EventKind.REUSED, group.requests[key].tasks)
    kept = engines or Engines()
    try:
        await _ask([group for group in missing if group.requests], state, kept)
    finally:
        if engines is None:
            await kept.close()
    return Fetched(
        responses=state.responses,
        failures=tuple(state.failures),
        asked=state.asked,
        reused=len(responses),
        spent=state.stop.spent,
        unknown_prices=tuple(unpriced),
        stopped=state.stop.outcome(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """All requests to one model, at its address, with its key."""

    name: str
    """Distinguishes this model, address and key from others."""
    model: Model
    provider: type[Provider]
    requests: Mapping[str, PendingRequest]
    """By key: each distinct request once."""

    def without(self, responses: Mapping[str, Response]) -> Group:
        """Return the group less the requests that have a response."""
        left = {key: pending for key, pending in self.requests.items() if key not in responses}
        return replace(self, requests=left)


def _by_model(tasks: Iterable[Task]) -> list[Group]:
    """Group tasks by the model that answers them, and by key within it."""
    groups: dict[str, tuple[Model, dict[str, PendingRequest]]] = {}
    names: dict[int, str] = {}
    for task in tasks:
        model = task.request.model
        if id(model) not in names:
            where = [model.identity(), model.name, model.base_url, model.api_key_env, model.batch_invariant]
            names[id(model)] = json.dumps(where, sort_keys=True)
        _, requests = groups.setdefault(names[id(model)], (model, {}))
        requests.setdefault(task.key, PendingRequest(tasks=[])).tasks.append(task)
    return [
        Group(name=name, model=model, provider=provider_class(model.provider), requests=requests)
        for name, (model, requests) in groups.items()
    ]


async def _ask(groups: Sequence[Group], state: FetchState, engines: Engines) -> None:
    """Ask all models: servers side by side, then engines one after another, each closed before the next opens."""
    stop = state.stop
    with listening_to_ctrl_c(stop):
        stop.listen(lambda: state.progress(Event(kind=EventKind.STOPPING, message=str(stop.reason), spent=stop.spent)))
        async with contextlib.AsyncExitStack() as opened:
            queues = [
                ModelQueue(
                    group.model, await opened.enter_async_context(_open(group, state)), group.requests.values(), state
                )
                for group in groups
                if not group.provider.in_process
            ]
            await asyncio.gather(*(queue.run() for queue in queues))
        for group in groups:
            if group.provider.in_process and not stop:
                engine = await engines.take(group.name, group.model, group.provider, timeout=state.limits.timeout)
                await ModelQueue(group.model, engine, group.requests.values(), state).run()


@contextlib.asynccontextmanager
async def _open(group: Group, state: FetchState) -> AsyncIterator[Provider]:
    """Open a model's provider and close it at the end."""
    provider = group.provider(group.model, timeout=state.limits.timeout)
    try:
        yield provider
    finally:
        await provider.close()


def _refuse_cap_without_price(unpriced: Iterable[str]) -> None:
    """Refuse a cost cap that cannot be kept."""
    raise_all(
        Problem(
            message=f"--max-cost needs a price, and {name} has none",
            hint=f"add --price {name}=IN/OUT (US dollars per million tokens), or leave out --max-cost",
        )
        for name in unpriced
    )


class Engines:
    """At most one in-process engine at a time, kept in memory between fetches."""

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
        # In a thread, so that Ctrl-C is handled while weights are read.
        self._engine = await asyncio.to_thread(provider, model, timeout=timeout)
        self._name = name
        return self._engine

    async def close(self) -> None:
        """Close the engine, where one is loaded."""
        engine, self._engine = self._engine, None
        if engine is not None:
            await engine.close()
