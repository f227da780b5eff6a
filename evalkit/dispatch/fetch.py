"""What is asked for, less what the ledger holds, by model, one lane each."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence

from evalkit.calls import Model
from evalkit.dispatch.lane import Desk, Lane, Question
from evalkit.dispatch.records import Event, EventKind, Fetched, Limits, Task
from evalkit.dispatch.stopping import Stop, listening_to_ctrl_c
from evalkit.errors import IncompleteError, InputError, InterruptedRunError, Problem, raise_all
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
    rng: random.Random | None = None,
) -> Fetched:
    """Return the responses of all tasks: from the ledger where it has them, else asked now and written to it first.

    Where the error budget, a cap or Ctrl-C ended the fetch early, `stopped` of the result says so.

    `progress` is called for every event, in the event loop's thread. `rng` jitters retries.

    Raises:
        InputError: a model cannot be used (no key, unknown provider, a cost cap and no price); nothing was asked.
        CredentialsError: a server refused the key; what was fetched before is in the ledger.
    """
    questions: dict[str, Question] = {}
    for task in tasks:
        questions.setdefault(task.key, Question(tasks=[])).tasks.append(task)
    free = {name: provider_class(name).free for name in {task.request.model.provider for task in tasks}}
    costly = [key for key, question in questions.items() if not free[question.task.request.model.provider]]
    responses = ledger.lookup(costly)
    missing = [question for key, question in questions.items() if key not in responses]
    if limits.max_cost is not None:
        _check_prices((question.task.request.model for question in missing), pricing)

    deadline = None if limits.max_time is None else asyncio.get_running_loop().time() + limits.max_time
    stop = Stop(limits, Counter(question.task.stage for question in questions.values()), deadline=deadline)
    desk = Desk(
        ledger=ledger,
        pricing=pricing,
        limits=limits,
        stop=stop,
        progress=progress,
        rng=rng or random.Random(),  # noqa: S311 - jitter needs no cryptography
        responses=responses,
    )
    reused = len(responses)
    for key in responses:
        desk.tell(EventKind.REUSED, questions[key].tasks)
    await _ask(missing, desk)
    if stop.crash:
        raise stop.crash
    stopped = stop.reason
    if stopped is not None and not isinstance(stopped, IncompleteError | InterruptedRunError):
        raise stopped
    unknown = {
        str(question.task.request.model) for question in missing if _unpriced(question.task.request.model, pricing)
    }
    return Fetched(
        responses=desk.responses,
        failures=tuple(desk.failures),
        asked=desk.asked,
        reused=reused,
        spent=stop.spent,
        unknown_prices=tuple(sorted(unknown)),
        stopped=stopped,
    )


async def _ask(questions: Iterable[Question], desk: Desk) -> None:
    """Ask all questions: servers side by side, then engines one after another, each closed before the next opens."""
    shared: list[tuple[Model, list[Question]]] = []
    exclusive: list[tuple[Model, list[Question]]] = []
    for model, group in _by_model(questions):
        (exclusive if provider_class(model.provider).exclusive else shared).append((model, group))
    stop = desk.stop
    with listening_to_ctrl_c(stop):
        stop.listen(lambda: desk.progress(Event(kind=EventKind.STOPPING, message=str(stop.reason), spent=stop.spent)))
        async with contextlib.AsyncExitStack() as opened:
            lanes = [
                Lane(model, await opened.enter_async_context(_open(model, desk)), group, desk)
                for model, group in shared
            ]
            await asyncio.gather(*(lane.run() for lane in lanes))
        for model, group in exclusive:
            if not stop:
                async with _open(model, desk) as engine:
                    await Lane(model, engine, group, desk).run()


@contextlib.asynccontextmanager
async def _open(model: Model, desk: Desk) -> AsyncIterator[Provider]:
    """Open a model's provider and close it at the end."""
    provider = provider_class(model.provider)(model, timeout=desk.limits.timeout)
    try:
        yield provider
    finally:
        await provider.close()


def _by_model(questions: Iterable[Question]) -> Iterable[tuple[Model, list[Question]]]:
    """Group questions by the model that answers them, at its address, with its key."""
    groups: dict[str, tuple[Model, list[Question]]] = {}
    names: dict[int, str] = {}
    for question in questions:
        model = question.task.request.model
        if id(model) not in names:
            names[id(model)] = json.dumps([model.identity(), model.base_url, model.api_key_env], sort_keys=True)
        groups.setdefault(names[id(model)], (model, []))[1].append(question)
    return groups.values()


def _unpriced(model: Model, pricing: Pricing) -> bool:
    """Whether asking this model costs money, and nobody knows how much."""
    return not provider_class(model.provider).free and pricing.rate(model) is None


def _check_prices(models: Iterable[Model], pricing: Pricing) -> None:
    """Refuse a cost cap that could not be kept."""
    unknown: Mapping[str, None] = {str(model): None for model in models if _unpriced(model, pricing)}
    hint = "add `price: {input: …, output: …}` (US dollars per million tokens) to the model, or leave out --max-cost"
    raise_all(
        (Problem(message=f"--max-cost needs a price, and {name} has none", hint=hint) for name in unknown), InputError
    )
