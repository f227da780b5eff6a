"""One model's queue: which request goes next, when, and what is done with each answer and each fault."""

from __future__ import annotations

import asyncio
import heapq
import logging
import random
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from evalkit.calls import CallError, Fault, Model, Response
from evalkit.dispatch.stop import StopSignal
from evalkit.dispatch.throttle import Concurrency, Pace, backoff
from evalkit.dispatch.types import Event, EventKind, Failed, Limits, Task
from evalkit.errors import CredentialsError, EvalkitError, IncompleteError, InputError, Problem
from evalkit.ledger import Ledger
from evalkit.models import Provider
from evalkit.pricing import Pricing, rough_tokens
from evalkit.records import Failure

_ENGINE_CONCURRENCY = 512
"""Requests handed to an in-process engine at once, unless its class says otherwise: it batches them itself, and needs
many to batch well."""
_RATE_LIMIT_PATIENCE = 30
"""429s one request may meet before it counts as failed."""
_LONG_WAIT = 30.0
"""Seconds of waiting that are worth a word."""
_LONGEST_WAIT = 3600.0
"""Seconds of waiting after which it is better to stop: daily quotas."""
_POLL = 0.5
"""Seconds between looks at the cost cap while other queues hold the money."""

_log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class PendingRequest:
    """One distinct request, for one or more tasks, and how often it was put."""

    tasks: list[Task]
    attempts: int = 0
    """Tries that count: answers and faults other than rate limits."""
    rate_limits: int = 0
    sent: float = 0.0
    """When it was put last, in the loop's time."""
    tokens: float = 0.0
    """Tokens booked for it."""
    expected_cost: float = 0.0

    @property
    def task(self) -> Task:
        """The first of its tasks, which stands for all."""
        return self.tasks[0]


@dataclass(slots=True, kw_only=True)
class FetchState:
    """What all queues of a fetch share."""

    ledger: Ledger
    pricing: Pricing
    limits: Limits
    stop: StopSignal
    progress: Callable[[Event], None]
    rng: random.Random
    responses: dict[str, Response] = field(default_factory=dict)
    failures: list[Failed] = field(default_factory=list)
    asked: int = 0

    def tell(self, kind: EventKind, tasks: Iterable[Task], message: str = "") -> None:
        """Report progress of tasks."""
        for task in tasks:
            self.progress(
                Event(
                    kind=kind,
                    stage=task.stage,
                    language=task.language,
                    model=task.model,
                    message=message,
                    spent=self.stop.spent,
                )
            )


class ModelQueue:
    """Puts the requests of one model, as many at once and as fast as limits, faults and caps allow."""

    def __init__(self, model: Model, provider: Provider, requests: Iterable[PendingRequest], state: FetchState) -> None:
        self._provider = provider
        self._name = str(model)
        self._state = state
        self._fresh = deque(requests)
        self._again: list[tuple[float, int, PendingRequest]] = []
        """Heap of (earliest time, tie-breaker, request)."""
        self._running: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        limits = state.limits
        engine = provider.in_process or provider.free
        self._timeout = None if engine else limits.timeout
        batch: int = getattr(provider, "concurrency", _ENGINE_CONCURRENCY)
        start, most = (batch, batch) if engine else (limits.concurrency, limits.max_concurrency)
        self._places = Concurrency(start, most)
        self._requests = Pace(None if engine else limits.requests_per_minute)
        self._tokens = Pace(None if engine else limits.tokens_per_minute)
        self._counts_tokens = limits.tokens_per_minute is not None and not engine
        self._paused_until = 0.0
        self._crowded = False
        """Whether more would be in flight, were there more places."""
        self._answers = 0
        self._spent = 0.0

    async def run(self) -> None:
        """Put all requests, or as many as may be put before the fetch stops."""
        self._state.stop.listen(self._wake.set)
        try:
            while True:
                wait = self._send_what_may_go()
                if not self._running and (self._state.stop or not (self._fresh or self._again)):
                    break
                await self._sleep(wait)
                if self._state.stop.abandon:
                    break
        finally:
            await self._give_up_what_runs()

    def _send_what_may_go(self) -> float | None:
        """Send what may be sent now; return the seconds until more may be, or None if an answer must come first."""
        stop = self._state.stop
        left = stop.check_time(self._loop.time())
        while not stop and (self._fresh or self._again) and len(self._running) < self._places.limit:
            now = self._loop.time()
            wait = self._wait(now)
            if wait <= 0:
                pending = self._next(now)
                wait = self._afford(pending)
                if wait <= 0:
                    self._send(pending, now)
                    continue
                self._fresh.appendleft(pending)
            self._crowded = False
            return wait if left is None else min(wait, left)
        self._crowded = bool(self._fresh or self._again)
        return None if stop else left

    def _wait(self, now: float) -> float:
        """Return the seconds until a request may be sent: pause after a 429, rates, and retries not yet due."""
        due = 0.0 if self._fresh else self._again[0][0] - now
        return max(self._paused_until - now, self._requests.wait(now), self._tokens.wait(now), due)

    def _next(self, now: float) -> PendingRequest:
        """Take the next request: a retry that is due before a fresh one."""
        if self._again and self._again[0][0] <= now:
            return heapq.heappop(self._again)[2]
        return self._fresh.popleft()

    def _afford(self, pending: PendingRequest) -> float:
        """Return 0 where the cost cap has room for the request, else the seconds until it should be asked again."""
        state, stop = self._state, self._state.stop
        if state.limits.max_cost is None:
            return 0.0
        request = pending.task.request
        worst = state.pricing.expected(request) or 0.0
        pending.expected_cost = min(worst, self._spent / self._answers) if self._answers else worst
        if stop.affordable(pending.expected_cost):
            return 0.0
        if not self._running and not stop.money_in_flight:
            stop.cost_cap_reached()
        return _POLL

    def _send(self, pending: PendingRequest, now: float) -> None:
        """Put a request."""
        if not pending.attempts and not pending.rate_limits:
            self._state.tell(EventKind.STARTED, pending.tasks[:1])
        pending.sent = now
        pending.attempts += 1
        self._requests.charge(now)
        if self._counts_tokens:
            pending.tokens = rough_tokens(pending.task.request)
            self._tokens.charge(now, pending.tokens)
        self._state.stop.reserve(pending.expected_cost)
        running = self._loop.create_task(self._put(pending))
        self._running.add(running)
        running.add_done_callback(self._done)

    def _done(self, running: asyncio.Task[None]) -> None:
        """Free the place; an error here is one of evalkit's own (a full disk, a bug) and ends the fetch."""
        self._running.discard(running)
        if not running.cancelled() and (crash := running.exception()):
            self._state.stop.crashed(crash)
        self._wake.set()

    async def _put(self, pending: PendingRequest) -> None:
        """Put a request once, and see to what comes of it."""
        try:
            async with asyncio.timeout(self._timeout):
                response = await self._provider.ask(pending.task.request)
        except CallError as error:
            self._fell(pending, error)
        except TimeoutError:
            self._fell(pending, CallError(Fault.TIMEOUT, f"no answer within {self._timeout} s"))
        except EvalkitError as error:
            self._state.stop.set(error)
        except Exception as error:  # noqa: BLE001 - the task boundary: a provider's bug is a failure of its request
            _log.debug("provider bug", exc_info=error)
            self._fell(pending, CallError(Fault.INTERNAL, f"{type(error).__name__} in the provider"))
        else:
            self._answered(pending, response)
        finally:
            self._state.stop.release(pending.expected_cost)

    def _answered(self, pending: PendingRequest, response: Response) -> None:
        """Write the response to the ledger, then count it."""
        state, task = self._state, pending.task
        if not self._provider.free:
            cost = state.pricing.cost(task.request.model, response.usage)
            state.ledger.record(task.request, task.key, response, cost=cost)
            state.stop.paid(cost, expected=pending.expected_cost)
            state.asked += 1
            self._spent += pending.expected_cost if cost is None else cost
        self._answers += 1
        if self._counts_tokens and response.usage.input_tokens is not None:
            self._tokens.correct(response.usage.input_tokens + (response.usage.output_tokens or 0) - pending.tokens)
        state.responses[task.key] = response
        self._places.answered(self._loop.time(), full=self._crowded)
        state.tell(EventKind.FINISHED, pending.tasks)

    def _fell(self, pending: PendingRequest, error: CallError) -> None:
        """Decide what a fault means: stop, wait and try again, or a failure."""
        now = self._loop.time()
        if error.fault is Fault.AUTH:
            self._state.stop.set(CredentialsError(Problem(message=str(error), where=str(pending.task.request.model))))
        elif error.fault is Fault.NOT_FOUND and not self._answers:
            hint = "check the model's name and the address after @, which usually ends with /v1"
            self._state.stop.set(InputError(Problem(message=str(error), where=self._name, hint=hint)))
        elif error.fault is Fault.RATE_LIMIT and pending.rate_limits < _RATE_LIMIT_PATIENCE:
            pending.attempts -= 1
            pending.rate_limits += 1
            self._places.rate_limited(now, sent=pending.sent)
            # A wait of 0 is no advice: asking at once again would only be refused again.
            wait = error.retry_after or backoff(pending.rate_limits, self._state.rng.random())
            self._pause(wait, now=now, error=error)
            self._retry(pending, error, now=now, wait=wait)
        elif (
            error.fault.passing
            and error.fault is not Fault.RATE_LIMIT
            and pending.attempts < self._state.limits.max_attempts
        ):
            wait = backoff(pending.attempts, self._state.rng.random())
            self._retry(pending, error, now=now, wait=max(wait, error.retry_after or 0.0))
        else:
            self._fail(pending, error)

    def _pause(self, wait: float, *, now: float, error: CallError) -> None:
        """Send nothing to this model for `wait` seconds; tell a person who would wonder, stop where it is absurd."""
        if wait > _LONGEST_WAIT:
            told = f"{self._name} asks to wait {wait / 3600:.1f} hours ({error})"
            self._state.stop.set(
                IncompleteError(f"{told}; everything fetched is kept: run the same command again then")
            )
        if wait >= _LONG_WAIT and now >= self._paused_until:
            _log.warning("%s: waiting %.0f s, as the server asks (%s)", self._name, wait, error)
        self._paused_until = max(self._paused_until, now + wait)

    def _retry(self, pending: PendingRequest, error: CallError, *, now: float, wait: float) -> None:
        """Put a request back, to be sent again after `wait` seconds."""
        heapq.heappush(self._again, (now + wait, id(pending), pending))
        self._state.tell(EventKind.RETRY, pending.tasks[:1], f"{error.fault}: {error}")

    def _fail(self, pending: PendingRequest, error: CallError) -> None:
        """Record that a request gets no answer."""
        for task in pending.tasks:
            failure = Failure(
                stage=task.stage,
                kind=error.fault.value,
                message=str(error),
                attempts=pending.attempts + pending.rate_limits,
                model=task.model,
                language=task.language,
            )
            self._state.failures.append(Failed(task=task, failure=failure))
        self._state.tell(EventKind.FAILED, pending.tasks, f"{error.fault}: {error}")
        self._state.stop.failed(pending.task.stage, f"{error.fault}: {error}")

    async def _sleep(self, seconds: float | None) -> None:
        """Wait for an answer, a reason to stop, or the given time."""
        alarm = None if seconds is None else self._loop.call_later(seconds, self._wake.set)
        await self._wake.wait()
        self._wake.clear()
        if alarm:
            alarm.cancel()

    async def _give_up_what_runs(self) -> None:
        """Cancel what is still in flight (after a second Ctrl-C, or where the fetch itself is cancelled)."""
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
