"""The one way a stage asks: the ledger first, then the models; and the account of what it cost."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, Self

from evalkit.calls import Response
from evalkit.dispatch import Engines, Event, Fetched, Limits, Task, fetch
from evalkit.errors import IncompleteError, InterruptedRunError
from evalkit.ledger import Ledger
from evalkit.models import provider_class
from evalkit.pricing import Pricing


@dataclass(kw_only=True)
class ModelCost:
    """What the answers of one model in one stage cost, whenever they were paid for."""

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cost: float | None = 0.0
    """US dollars; None where the model's price is unknown."""

    def add(self, response: Response, cost: float | None) -> None:
        """Add one response."""
        usage = response.usage
        self.requests += 1
        self.input_tokens += usage.input_tokens or 0
        self.output_tokens += usage.output_tokens or 0
        self.cached_tokens += usage.cached_tokens or 0
        self.cost = None if cost is None or self.cost is None else self.cost + cost


class Progress(Protocol):
    """Whoever shows how far a run is."""

    def planned(self, tasks: Sequence[Task]) -> None:
        """Hear what is about to be asked for."""

    def __call__(self, event: Event) -> None:
        """Hear what happened."""


class Quiet:
    """Shows nothing."""

    def planned(self, tasks: Sequence[Task]) -> None:
        """Hear, and say nothing."""

    def __call__(self, event: Event) -> None:
        """Hear, and say nothing."""


@dataclass(kw_only=True)
class Session:
    """Asks for a run. Once a cap, the error budget or Ctrl-C stopped it, it only reads the ledger."""

    ledger: Ledger
    limits: Limits
    """Of the whole run; each fetch gets what the ones before left of the caps."""
    pricing: Pricing
    progress: Progress
    asks: bool = True
    """Whether models may be asked at all; `plan` only reads the ledger."""
    stopped: IncompleteError | InterruptedRunError | None = None
    """Why nothing more is asked; the run's report is still written from what there is."""
    asked: int = 0
    reused: int = 0
    paid: float | None = 0.0
    """US dollars spent now; None where a price is unknown."""
    spending: dict[tuple[str, str], ModelCost] = field(default_factory=dict)
    """By (model, stage)."""
    started: float = field(default_factory=time.monotonic)
    _booked: set[tuple[str, str, str]] = field(default_factory=set)
    """(key, model, stage) whose cost is in `spending`: a later round over more prompts asks for the same again."""
    _kept: set[str] = field(default_factory=set)
    """Keys that this run has found in the ledger, or put there."""
    engines: Engines = field(default_factory=Engines)
    """Between turns, and between the rounds of a judge, a model stays loaded."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.engines.close()

    async def ask(self, tasks: Sequence[Task]) -> Fetched:
        """Return the responses there are to `tasks`, asking for those that are missing."""
        self.progress.planned(tasks)
        if self.asks and self.stopped is None:
            limits = self._left()
            fetched = await fetch(
                tasks,
                ledger=self.ledger,
                limits=limits,
                pricing=self.pricing,
                progress=self.progress,
                engines=self.engines,
            )
            self.stopped = fetched.stopped
        else:
            fetched = self._held(tasks)
        self.asked += fetched.asked
        self.reused += fetched.reused - len({task.key for task in tasks} & self._kept)
        self.paid = None if self.paid is None or fetched.spent is None else self.paid + fetched.spent
        self._book(tasks, fetched.responses)
        return fetched

    def _left(self) -> Limits:
        cost, seconds = self.limits.max_cost, self.limits.max_time
        return replace(
            self.limits,
            max_cost=None if cost is None else max(0.0, cost - (self.paid or 0.0)),
            max_time=None if seconds is None else max(0.0, seconds - (time.monotonic() - self.started)),
        )

    def _held(self, tasks: Sequence[Task]) -> Fetched:
        responses = self.ledger.lookup(task.key for task in tasks)
        return Fetched(responses=responses, reused=len(responses))

    def _book(self, tasks: Sequence[Task], responses: Mapping[str, Response]) -> None:
        for key, task in {task.key: task for task in tasks}.items():
            if key in responses and (key, task.model, task.stage) not in self._booked:
                self._booked.add((key, task.model, task.stage))
                if not provider_class(task.request.model.provider).free:
                    self._kept.add(key)
                account = self.spending.setdefault((task.model, task.stage), ModelCost())
                account.add(responses[key], self.pricing.cost(task.request.model, responses[key].usage))
