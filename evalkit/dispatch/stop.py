"""When a fetch stops before everything is answered: error budget, caps, refused keys, Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from evalkit.dispatch.types import Limits
from evalkit.errors import CapReachedError, ErrorBudgetError, EvalkitError, IncompleteError, InterruptedRunError

_ALWAYS_ALLOWED = 4
"""Failures that a small stage may have …"""
_ALWAYS_ALLOWED_SHARE = 4
"""… but no more than one request in this many."""


def failures_allowed(share: float, requests: int) -> int:
    """Return how many of a stage's requests may fail.

    The share, but in small stages up to 4 failures or a quarter of the requests, whichever is less: one lost request
    of twenty is no reason to stop. A share of 0 allows none.
    """
    if share <= 0:
        return 0
    return max(int(share * requests), min(_ALWAYS_ALLOWED, requests // _ALWAYS_ALLOWED_SHARE))


class StopSignal:
    """Why a fetch stops: the first reason counts. No new request is sent then; what is in flight is waited for."""

    def __init__(self, limits: Limits, stage_sizes: Mapping[str, int], *, deadline: float | None) -> None:
        self.reason: EvalkitError | None = None
        self.crash: BaseException | None = None
        self.abandon = False
        """Whether to cancel what is in flight, too."""
        self.spent: float | None = 0.0
        """US dollars, as far as known; None once a price is unknown."""
        self._spent_or_expected = 0.0
        """US dollars of all responses; where a cost is unknown, what was expected."""
        self._reserved = 0.0
        """US dollars that the requests in flight are expected to cost."""
        self._limits = limits
        self._sizes = stage_sizes
        self._failures: Counter[str] = Counter()
        self._deadline = deadline
        self._listeners: list[Callable[[], None]] = []

    def __bool__(self) -> bool:
        return self.reason is not None

    def listen(self, listener: Callable[[], None]) -> None:
        """Call `listener` when a reason to stop appears."""
        self._listeners.append(listener)

    def set(self, reason: EvalkitError) -> None:
        """Stop for this reason, unless there is one already."""
        if self.reason is None:
            self.reason = reason
            self._notify()

    def _notify(self) -> None:
        for listener in self._listeners:
            listener()

    def failed(self, stage: str, example: str) -> None:
        """Count a failure of a stage against its budget."""
        self._failures[stage] += 1
        failures, size = self._failures[stage], self._sizes[stage]
        if failures > failures_allowed(self._limits.error_budget, size):
            self.set(
                ErrorBudgetError(
                    f"{failures} of {size} requests of stage {stage!r} failed, more than the error budget of "
                    f"{self._limits.error_budget:.1%} allows; the last one: {example}\n"
                    "    everything fetched is kept: mend the cause and run again, or raise `error_budget` in the suite"
                )
            )

    def reserve(self, cost: float) -> None:
        """Set money aside for a request that is about to be sent."""
        self._reserved += cost

    def release(self, reserved: float) -> None:
        """Undo `reserve` once the request has come back, whatever came of it."""
        self._reserved -= reserved

    @property
    def money_in_flight(self) -> bool:
        """Whether any request with money set aside is in flight, to any model."""
        return self._reserved > 1e-12  # noqa: PLR2004 - sums of floats do not cancel exactly

    def paid(self, cost: float | None, *, expected: float) -> None:
        """Count what a response cost; against the cap, an unknown cost counts as expected."""
        self.spent = None if self.spent is None or cost is None else self.spent + cost
        self._spent_or_expected += expected if cost is None else cost

    def affordable(self, expected: float) -> bool:
        """Whether the cost cap leaves room for one more request beside what is spent and in flight."""
        cap = self._limits.max_cost
        return cap is None or self._spent_or_expected + self._reserved + expected <= cap

    def cost_cap_reached(self) -> None:
        """Stop because another request would not be affordable."""
        self.set(
            CapReachedError(
                "the cost cap leaves no room for another request; everything fetched is kept: "
                "run again with a higher --max-cost"
            )
        )

    def check_time(self, now: float) -> float | None:
        """Stop where the time cap is reached; else return the seconds left, or None where there is no cap."""
        if self._deadline is None:
            return None
        if now >= self._deadline:
            self.set(CapReachedError("the time cap is reached; everything fetched is kept: run again to go on"))
        return max(0.0, self._deadline - now)

    def crashed(self, crash: BaseException) -> None:
        """Stop for an error that no model caused: a full disk, a bug."""
        self.crash = self.crash or crash
        self.set(EvalkitError(f"{type(crash).__name__}: {crash}"))

    def outcome(self) -> IncompleteError | InterruptedRunError | None:
        """Return why the fetch ended early, or None.

        Raises:
            InputError: a model cannot be used after all (a refused key, a name that the server does not know).
            Exception: whatever crashed.
        """
        if self.crash:
            raise self.crash
        if self.reason is None or isinstance(self.reason, IncompleteError | InterruptedRunError):
            return self.reason
        raise self.reason

    def interrupt(self) -> None:
        """Stop for Ctrl-C: the first time wait for what is in flight, the second time cancel it."""
        self.abandon = isinstance(self.reason, InterruptedRunError)
        self.reason = InterruptedRunError("interrupted; everything fetched is kept: run the same command again")
        self._notify()


@contextlib.contextmanager
def listening_to_ctrl_c(stop: StopSignal) -> Iterator[None]:
    """Let Ctrl-C stop the fetch instead of raising KeyboardInterrupt, where signals can be caught (the main thread)."""
    loop = asyncio.get_running_loop()
    caught = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGINT) if caught else None
    if caught:
        try:
            loop.add_signal_handler(signal.SIGINT, stop.interrupt)
        except (NotImplementedError, RuntimeError):
            caught = False
    try:
        yield
    finally:
        if caught:
            loop.remove_signal_handler(signal.SIGINT)
            signal.signal(signal.SIGINT, before or signal.default_int_handler)
