"""One run's way to ask: the ledger first, then the models, again where a reply cannot be read; and what it costs.

`open_session` opens the ledger; nothing else above this package does, but for `evalkit ledger`.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol, TypeVar

from evalkit.calls import Model, Response, Unreadable
from evalkit.dispatch.fetch import Engines, fetch
from evalkit.dispatch.stop import failures_allowed
from evalkit.dispatch.types import Event, Fetched, Limits, Task
from evalkit.errors import IncompleteError, InterruptedRunError
from evalkit.ledger import Ledger
from evalkit.models import provider_class
from evalkit.pricing import Pricing
from evalkit.records import Failure

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(kw_only=True)
class ModelCost:
    """What the answers of one model in one stage cost, whenever they were paid for."""

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cost: float | None = 0.0
    """US dollars; None where the price, or how many tokens a response took, is unknown."""

    def add(self, response: Response, cost: float | None) -> None:
        """Add one response."""
        usage = response.usage
        self.requests += 1
        self.input_tokens += usage.input_tokens or 0
        self.output_tokens += usage.output_tokens or 0
        self.cached_tokens += usage.cached_tokens or 0
        self.cost = None if cost is None or self.cost is None else self.cost + cost


class Progress(Protocol):
    """Shows how far a run is."""

    def planned(self, tasks: Sequence[Task]) -> None:
        """Take note of the tasks that are about to be asked for."""

    def __call__(self, event: Event) -> None:
        """Take note of an event."""


class Quiet:
    """A `Progress` that shows nothing."""

    def planned(self, tasks: Sequence[Task]) -> None:
        """Do nothing."""

    def __call__(self, event: Event) -> None:
        """Do nothing."""


@dataclass(kw_only=True)
class Session:
    """Asks for a run. Once a cap, the error budget or Ctrl-C has stopped it, it only reads the ledger."""

    ledger: Ledger
    limits: Limits
    """Of the whole run; each fetch gets what the fetches before left of the caps."""
    pricing: Pricing
    progress: Progress
    asks: bool = True
    """Whether models may be asked at all; `plan` only reads the ledger."""
    stopped: IncompleteError | InterruptedRunError | None = None
    """Why nothing more is asked; the run's report is still written from what there is."""
    asked: int = 0
    """Distinct requests answered now."""
    reused: int = 0
    """Distinct requests that the ledger had answered before this run."""
    paid: float | None = 0.0
    """US dollars spent now; None where a price is unknown."""
    spending: dict[tuple[str, str], ModelCost] = field(default_factory=dict)
    """By (model, stage)."""
    unpriced: set[str] = field(default_factory=set)
    """References of the models in `spending` whose price is unknown."""
    engines: Engines = field(default_factory=Engines)
    """Keeps a model in memory between the turns of a conversation and between a judge's attempts."""
    _started: float = field(default_factory=time.monotonic)
    _counted: set[tuple[str, str, str]] = field(default_factory=set)
    """(key, model, stage) whose cost is in `spending`: a later batch of prompts asks for the same again."""
    _seen: set[str] = field(default_factory=set)
    """Keys whose responses this run has read from the ledger or written to it."""

    async def ask(self, tasks: Sequence[Task]) -> Fetched:
        """Return the responses to `tasks`, asking for those that the ledger lacks."""
        self.progress.planned(tasks)
        if self.asks and self.stopped is None:
            fetched = await fetch(
                tasks,
                ledger=self.ledger,
                limits=self._remaining_limits(),
                pricing=self.pricing,
                progress=self.progress,
                engines=self.engines,
            )
            self.stopped = fetched.stopped
        else:
            responses = self.ledger.lookup(task.key for task in tasks)
            fetched = Fetched(responses=responses, reused=len(responses))
        self.asked += fetched.asked
        self.reused += fetched.reused - len({task.key for task in tasks} & self._seen)
        self.paid = None if self.paid is None or fetched.spent is None else self.paid + fetched.spent
        self._count(tasks, fetched.responses)
        return fetched

    def held(self, tasks: Iterable[Task]) -> int:
        """Return how many distinct requests of `tasks` the ledger has a response to."""
        return self.ledger.count(task.key for task in tasks)

    def holds_responses_of(self, models: Iterable[Model]) -> bool:
        """Whether the ledger has a response of any of these models."""
        held = {(summary.provider, summary.model) for summary in self.ledger.holdings()}
        return any((model.provider, model.public_name) in held for model in models)

    def exceeds_error_budget(self, failures: int, total: int) -> bool:
        """Whether so many of `total` results that were asked for may not be missing."""
        return self.asks and self.stopped is None and failures > failures_allowed(self.limits.error_budget, total)

    def stop(self, reason: IncompleteError) -> None:
        """Ask nothing more."""
        self.stopped = reason

    def _remaining_limits(self) -> Limits:
        cost, seconds = self.limits.max_cost, self.limits.max_time
        return replace(
            self.limits,
            max_cost=None if cost is None else max(0.0, cost - (self.paid or 0.0)),
            max_time=None if seconds is None else max(0.0, seconds - (time.monotonic() - self._started)),
        )

    def _count(self, tasks: Sequence[Task], responses: Mapping[str, Response]) -> None:
        """Add what the responses cost to `spending`, each once for a model and stage."""
        for key, task in {task.key: task for task in tasks}.items():
            if key in responses and (key, task.model, task.stage) not in self._counted:
                self._counted.add((key, task.model, task.stage))
                if not provider_class(task.request.model.provider).free:
                    self._seen.add(key)
                account = self.spending.setdefault((task.model, task.stage), ModelCost())
                asked = task.request.model
                account.add(responses[key], self.pricing.cost(asked, responses[key].usage))
                if self.pricing.rate(asked) is None:
                    self.unpriced.add(str(asked))


@contextlib.asynccontextmanager
async def open_session(
    ledger: Path, *, limits: Limits, pricing: Pricing, progress: Progress, asks: bool = True
) -> AsyncIterator[Session]:
    """Open the ledger for a session; at the end close it, and the in-process engine where one was loaded.

    Raises:
        DataError: the path is no ledger, a newer one, or cannot be written.
    """
    with Ledger(ledger) as opened:
        session = Session(ledger=opened, limits=limits, pricing=pricing, progress=progress, asks=asks)
        try:
            yield session
        finally:
            await session.engines.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Replies:
    """The responses to all requests of one item, in one attempt."""

    responses: tuple[Response, ...]
    """In the order of the requests."""
    keys: tuple[str, ...]
    """Of the requests, in the ledger."""
    attempt: int
    """0 for the first attempt."""


async def ask_until_read(
    session: Session,
    items: Sequence[Item],
    *,
    requests: Callable[[Item, int], Sequence[Task]],
    read: Callable[[Item, Replies], Result | Unreadable],
    retries: Callable[[Item], int],
) -> list[Result | Failure | None]:
    """Ask for every item, read the replies, and ask again for the items whose replies cannot be read.

    Args:
        session: asks.
        items: what is asked for: a comparison, a text to translate.
        requests: (item, attempt) → the requests of the item, at least one.
        read: (item, replies) → what they say; called once all replies of an item are there.
        retries: item → how often it is asked again.

    Returns:
        For each item what `read` returned; a failure where a request failed or the last attempt could not be read; None
        where the session stopped before the replies came.
    """
    results: list[Result | Failure | None] = [None] * len(items)
    pending = list(range(len(items)))
    attempt = 0
    while pending:
        tasks = {index: requests(items[index], attempt) for index in pending}
        fetched = await session.ask([task for item_tasks in tasks.values() for task in item_tasks])
        failures = {failed.task.key: failed.failure for failed in fetched.failures}
        pending = []
        for index, item_tasks in tasks.items():
            replies = _replies(item_tasks, fetched.responses, attempt)
            result = read(items[index], replies) if replies else None
            if isinstance(result, Unreadable):
                results[index] = _unreadable(item_tasks[0], result, attempt)
                if attempt < retries(items[index]):
                    pending.append(index)
            elif result is not None:
                results[index] = result
            else:
                failed = [failures[task.key] for task in item_tasks if task.key in failures]
                results[index] = failed[-1] if failed else results[index]
        attempt += 1
    return results


def _replies(tasks: Sequence[Task], responses: Mapping[str, Response], attempt: int) -> Replies | None:
    """Return the replies to an item's requests; None where one is missing."""
    if any(task.key not in responses for task in tasks):
        return None
    return Replies(
        responses=tuple(responses[task.key] for task in tasks),
        keys=tuple(task.key for task in tasks),
        attempt=attempt,
    )


def _unreadable(task: Task, reply: Unreadable, attempt: int) -> Failure:
    return Failure(
        stage=task.stage,
        kind=reply.kind,
        message=reply.message,
        attempts=attempt + 1,
        model=task.model,
        language=task.language,
    )
