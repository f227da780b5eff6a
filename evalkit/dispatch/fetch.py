"""What is asked for, less what the ledger holds, by model, one lane each."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from evalkit.calls import Model, Response
from evalkit.dispatch.engines import Engines
from evalkit.dispatch.lane import Desk, Lane, Question
from evalkit.dispatch.records import Event, EventKind, Fetched, Limits, Task
from evalkit.dispatch.stopping import Stop, listening_to_ctrl_c
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
    """Return the responses of all tasks: from the ledger where it has them, else asked now and written to it first.

    Where the error budget, a cap or Ctrl-C ended the fetch early, `stopped` of the result says so.

    `progress` is called for every event, in the event loop's thread. `engines` keeps an in-process engine open for the
    next fetch; without it, it is closed at the end. `rng` jitters retries.

    Raises:
        InputError: a model cannot be used (no key, unknown provider, a cost cap and no price); nothing was asked.
        CredentialsError: a server refused the key; what was fetched before is in the ledger.
    """
    groups = _by_model(tasks)
    responses = ledger.lookup(key for group in groups if not group.provider.free for key in group.questions)
    missing = [group.without(responses) for group in groups]
    unpriced = sorted({str(group.model) for group in missing if group.questions and _unpriced(group, pricing)})
    if limits.max_cost is not None:
        _refuse_cap_without_price(unpriced)

    deadline = None if limits.max_time is None else asyncio.get_running_loop().time() + limits.max_time
    sizes = Counter(question.task.stage for group in groups for question in group.questions.values())
    desk = Desk(
        ledger=ledger,
        pricing=pricing,
        limits=limits,
        stop=Stop(limits, sizes, deadline=deadline),
        progress=progress,
        rng=rng or random.Random(),  # noqa: S311 - jitter needs no cryptography
        responses=dict(responses),
    )
    for group in groups:
        for key in responses.keys() & group.questions.keys():
            desk.tell(EventKind.REUSED, group.questions[key].tasks)
    own = engines or Engines()
    try:
        await _ask([group for group in missing if group.questions], desk, own)
    finally:
        if engines is None:
            await own.close()
    return Fetched(
        responses=desk.responses,
        failures=tuple(desk.failures),
        asked=desk.asked,
        reused=len(responses),
        spent=desk.stop.spent,
        unknown_prices=tuple(unpriced),
        stopped=desk.stop.outcome(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """All questions to one model, at its address, with its key."""

    name: str
    """What tells this model from others."""
    model: Model
    provider: type[Provider]
    questions: Mapping[str, Question]
    """By key: each distinct request once."""

    def without(self, responses: Mapping[str, Response]) -> Group:
        """Return the group less what has a response."""
        left = {key: question for key, question in self.questions.items() if key not in responses}
        return replace(self, questions=left)


def _by_model(tasks: Iterable[Task]) -> list[Group]:
    """Group tasks by the model that answers them, and by key within it."""
    groups: dict[str, tuple[Model, dict[str, Question]]] = {}
    names: dict[int, str] = {}
    for task in tasks:
        model = task.request.model
        if id(model) not in names:
            where = [model.identity(), model.name, model.base_url, model.api_key_env]
            names[id(model)] = json.dumps(where, sort_keys=True)
        _, questions = groups.setdefault(names[id(model)], (model, {}))
        questions.setdefault(task.key, Question(tasks=[])).tasks.append(task)
    return [
        Group(name=name, model=model, provider=provider_class(model.provider), questions=questions)
        for name, (model, questions) in groups.items()
    ]


async def _ask(groups: Sequence[Group], desk: Desk, engines: Engines) -> None:
    """Ask all questions: servers side by side, then engines one after another, each closed before the next opens."""
    stop = desk.stop
    with listening_to_ctrl_c(stop):
        stop.listen(lambda: desk.progress(Event(kind=EventKind.STOPPING, message=str(stop.reason), spent=stop.spent)))
        async with contextlib.AsyncExitStack() as opened:
            lanes = [
                Lane(group.model, await opened.enter_async_context(_open(group, desk)), group.questions.values(), desk)
                for group in groups
                if not group.provider.exclusive
            ]
            await asyncio.gather(*(lane.run() for lane in lanes))
        for group in groups:
            if group.provider.exclusive and not stop:
                engine = await engines.take(group.name, group.model, group.provider, timeout=desk.limits.timeout)
                await Lane(group.model, engine, group.questions.values(), desk).run()


@contextlib.asynccontextmanager
async def _open(group: Group, desk: Desk) -> AsyncIterator[Provider]:
    """Open a model's provider and close it at the end."""
    provider = group.provider(group.model, timeout=desk.limits.timeout)
    try:
        yield provider
    finally:
        await provider.close()


def _unpriced(group: Group, pricing: Pricing) -> bool:
    """Whether asking this model costs money, and nobody knows how much."""
    return not group.provider.free and pricing.rate(group.model) is None


def _refuse_cap_without_price(unpriced: Iterable[str]) -> None:
    """Refuse a cost cap that could not be kept."""
    hint = "add `price: {input: …, output: …}` (US dollars per million tokens) to the model, or leave out --max-cost"
    raise_all(Problem(message=f"--max-cost needs a price, and {name} has none", hint=hint) for name in unpriced)
