"""One model's lane: which request goes next, when, and what is done with each answer and each fault."""

from __future__ import annotations

import asyncio
import heapq
import logging
import random
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from evalkit.calls import CallError, Fault, Model, Response
from evalkit.dispatch.pacing import Concurrency, Pace, backoff
from evalkit.dispatch.records import Event, EventKind, Failed, Limits, Task
from evalkit.dispatch.stopping import Stop
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
"""Seconds between looks at the cost cap while other lanes hold the money."""

_log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Question:
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
class Desk:
    """What all lanes of a fetch share."""

    ledger: Ledger
    pricing: Pricing
    limits: Limits
    stop: Stop
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


class Lane:
    """Puts the questions of one model, as many at once and as fast as limits, faults and caps allow."""

    def __init__(self, model: Model, provider: Provider, questions: Iterable[Question], desk: Desk) -> None:
        self._provider = provider
        self._name = str(model)
        self._desk = desk
        self._fresh = deque(questions)
        self._again: list[tuple[float, int, Question]] = []
        """Heap of (earliest time, tie-breaker, question)."""
        self._running: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        limits = desk.limits
        engine = provider.exclusive or provider.free
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
        """Put all questions, or as many as may be put before the fetch stops."""
        self._desk.stop.listen(self._wake.set)
        try:
            while True:
                wait = self._send_what_may_go()
                if not self._running and (self._desk.stop or not (self._fresh or self._again)):
                    break
                await self._sleep(wait)
                if self._desk.stop.abandon:
                    break
        finally:
            await self._give_up_what_runs()

    def _send_what_may_go(self) -> float | None:
        """Send what may be sent now; return the seconds until more may be, or None if an answer must come first."""
        stop = self._desk.stop
        left = stop.check_time(self._loop.time())
        while not stop and (self._fresh or self._again) and len(self._running) < self._places.limit:
            now = self._loop.time()
            wait = self._wait(now)
            if wait <= 0:
                question = self._next(now)
                wait = self._afford(question)
                if wait <= 0:
                    self._send(question, now)
                    continue
                self._fresh.appendleft(question)
            self._crowded = False
            return wait if left is None else min(wait, left)
        self._crowded = bool(self._fresh or self._again)
        return None if stop else left

    def _wait(self, now: float) -> float:
        """Return the seconds until a question may be sent: pause after a 429, rates, and retries not yet due."""
        due = 0.0 if self._fresh else self._again[0][0] - now
        return max(self._paused_until - now, self._requests.wait(now), self._tokens.wait(now), due)

    def _next(self, now: float) -> Question:
        """Take the next question: a retry that is due before a fresh one."""
        if self._again and self._again[0][0] <= now:
            return heapq.heappop(self._again)[2]
        return self._fresh.popleft()

    def _afford(self, question: Question) -> float:
        """Return 0 where the cost cap has room for the question, else the seconds until it should be asked again."""
        desk, stop = self._desk, self._desk.stop
        if desk.limits.max_cost is None:
            return 0.0
        request = question.task.request
        worst = desk.pricing.expected(request) or 0.0
        question.expected_cost = min(worst, self._spent / self._answers) if self._answers else worst
        if stop.affordable(question.expected_cost):
            return 0.0
        if not self._running and not stop.money_in_flight:
            stop.cost_cap_reached()
        return _POLL

    def _send(self, question: Question, now: float) -> None:
        """Put a question."""
        if not question.attempts and not question.rate_limits:
            self._desk.tell(EventKind.STARTED, question.tasks[:1])
        question.sent = now
        question.attempts += 1
        self._requests.charge(now)
        if self._counts_tokens:
            question.tokens = rough_tokens(question.task.request)
            self._tokens.charge(now, question.tokens)
        self._desk.stop.reserve(question.expected_cost)
        running = self._loop.create_task(self._put(question))
        self._running.add(running)
        running.add_done_callback(self._done)

    def _done(self, running: asyncio.Task[None]) -> None:
        """Free the place; an error here is one of evalkit's own (a full disk, a bug) and ends the fetch."""
        self._running.discard(running)
        if not running.cancelled() and (crash := running.exception()):
            self._desk.stop.crashed(crash)
        self._wake.set()

    async def _put(self, question: Question) -> None:
        """Put a question once, and see to what comes of it."""
        try:
            async with asyncio.timeout(self._timeout):
                response = await self._provider.ask(question.task.request)
        except CallError as error:
            self._fell(question, error)
        except TimeoutError:
            self._fell(question, CallError(Fault.TIMEOUT, f"no answer within {self._timeout} s"))
        except EvalkitError as error:
            self._desk.stop.set(error)
        except Exception as error:  # noqa: BLE001 - the task boundary: a provider's bug is a failure of its request
            _log.debug("provider bug", exc_info=error)
            self._fell(question, CallError(Fault.INTERNAL, f"{type(error).__name__} in the provider"))
        else:
            self._answered(question, response)
        finally:
            self._desk.stop.release(question.expected_cost)

    def _answered(self, question: Question, response: Response) -> None:
        """Write the response to the ledger, then count it."""
        desk, task = self._desk, question.task
        if not self._provider.free:
            cost = desk.pricing.cost(task.request.model, response.usage)
            desk.ledger.record(task.request, task.key, response, cost=cost)
            desk.stop.paid(cost, expected=question.expected_cost)
            desk.asked += 1
            self._spent += question.expected_cost if cost is None else cost
        self._answers += 1
        if self._counts_tokens and response.usage.input_tokens is not None:
            self._tokens.correct(response.usage.input_tokens + (response.usage.output_tokens or 0) - question.tokens)
        desk.responses[task.key] = response
        self._places.answered(self._loop.time(), full=self._crowded)
        desk.tell(EventKind.FINISHED, question.tasks)

    def _fell(self, question: Question, error: CallError) -> None:
        """Decide what a fault means: stop, wait and try again, or a failure."""
        now = self._loop.time()
        if error.fault is Fault.AUTH:
            self._desk.stop.set(CredentialsError(Problem(message=str(error), where=str(question.task.request.model))))
        elif error.fault is Fault.NOT_FOUND and not self._answers:
            hint = "check the model's name and the address after @, which usually ends with /v1"
            self._desk.stop.set(InputError(Problem(message=str(error), where=self._name, hint=hint)))
        elif error.fault is Fault.RATE_LIMIT and question.rate_limits < _RATE_LIMIT_PATIENCE:
            question.attempts -= 1
            question.rate_limits += 1
            self._places.rate_limited(now, sent=question.sent)
            # A wait of 0 is no advice: asking at once again would only be refused again.
            wait = error.retry_after or backoff(question.rate_limits, self._desk.rng.random())
            self._pause(wait, now=now, error=error)
            self._retry(question, error, now=now, wait=wait)
        elif (
            error.fault.passing
            and error.fault is not Fault.RATE_LIMIT
            and question.attempts < self._desk.limits.max_attempts
        ):
            wait = backoff(question.attempts, self._desk.rng.random())
            self._retry(question, error, now=now, wait=max(wait, error.retry_after or 0.0))
        else:
            self._fail(question, error)

    def _pause(self, wait: float, *, now: float, error: CallError) -> None:
        """Send nothing to this model for `wait` seconds; tell a person who would wonder, stop where it is absurd."""
        if wait > _LONGEST_WAIT:
            told = f"{self._name} asks to wait {wait / 3600:.1f} hours ({error})"
            self._desk.stop.set(IncompleteError(f"{told}; everything fetched is kept: run the same command again then"))
        if wait >= _LONG_WAIT and now >= self._paused_until:
            _log.warning("%s: waiting %.0f s, as the server asks (%s)", self._name, wait, error)
        self._paused_until = max(self._paused_until, now + wait)

    def _retry(self, question: Question, error: CallError, *, now: float, wait: float) -> None:
        """Put a question back, to be sent again after `wait` seconds."""
        heapq.heappush(self._again, (now + wait, id(question), question))
        self._desk.tell(EventKind.RETRY, question.tasks[:1], f"{error.fault}: {error}")

    def _fail(self, question: Question, error: CallError) -> None:
        """Record that a question gets no answer."""
        for task in question.tasks:
            failure = Failure(
                stage=task.stage,
                kind=error.fault.value,
                message=str(error),
                attempts=question.attempts + question.rate_limits,
                model=task.model,
                language=task.language,
            )
            self._desk.failures.append(Failed(task=task, failure=failure))
        self._desk.tell(EventKind.FAILED, question.tasks, f"{error.fault}: {error}")
        self._desk.stop.failed(question.task.stage, f"{error.fault}: {error}")

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
