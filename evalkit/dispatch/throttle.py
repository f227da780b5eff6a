"""How many requests at once, and how many a minute. Plain arithmetic on the times that are passed in, in seconds."""

from __future__ import annotations

_GROWTH = 2.0
_PAYS = 1.1
"""Doubling must raise the throughput by at least this factor to be kept."""
_SHRINK = 0.8
_EPISODE = 15.0
"""Seconds after a shrink in which further 429s belong to the same episode."""
_PROBE_AGAIN = 60.0
"""Seconds after which a level that did not pay is tried again."""


class Concurrency:
    """How many requests may be in flight to one model.

    Starts low and doubles as long as doubling pays: the throughput of `2 × limit` answers received at full use, after
    `limit` to settle, is compared with that of the level before, and a doubling that brought less than 10 % is undone.
    A 429 shrinks to 80 %, once an episode (the scheme of inspect_ai); after that it grows by a tenth at a time.
    """

    def __init__(self, start: int, maximum: int) -> None:
        self.limit = max(1, min(start, maximum))
        self._maximum = max(1, maximum)
        self._since = 0.0
        self._answers = -self.limit
        """Since the level was taken; negative while it settles."""
        self._before: tuple[int, float] | None = None
        self._rest_until = 0.0
        self._shrunk_at = -_EPISODE
        self._careful = False

    def answered(self, now: float, *, full: bool) -> None:
        """Count an answer; `full` says whether the places are what holds more back, for only then it tells anything."""
        if not full:
            self._settle()
            return
        self._answers += 1
        if self._answers == 0:
            self._since = now
        elif self._answers >= 2 * self.limit and now > self._since:
            self._weigh(self._answers / (now - self._since), now)
            self._settle()

    def _settle(self) -> None:
        """Begin to measure anew."""
        self._answers = -self.limit

    def _weigh(self, throughput: float, now: float) -> None:
        """Decide on the next level from this level's throughput (answers a second)."""
        if self._before is not None and throughput < _PAYS * self._before[1]:
            self.limit, self._before = self._before[0], None
            self._rest_until = now + _PROBE_AGAIN
        elif now >= self._rest_until and self.limit < self._maximum:
            self._before = None if self._careful else (self.limit, throughput)
            larger = self.limit * (1.1 if self._careful else _GROWTH)
            self.limit = min(self._maximum, max(self.limit + 1, int(larger)))

    def rate_limited(self, now: float, *, sent: float) -> None:
        """Shrink for a 429 to a request sent at `sent`, unless the episode has shrunk already."""
        if sent <= self._shrunk_at or now < self._shrunk_at + _EPISODE:
            return
        self.limit = max(1, int(self.limit * _SHRINK))
        self._shrunk_at = now
        self._rest_until = now + _EPISODE
        self._careful = True
        self._before = None
        self._settle()


class Pace:
    """A rate, kept by even spacing: in no minute more than the rate and one request."""

    def __init__(self, per_minute: float | None) -> None:
        self._interval = 60.0 / per_minute if per_minute else 0.0
        self._next = float("-inf")

    def wait(self, now: float) -> float:
        """Return the seconds until the next request may start."""
        return max(0.0, self._next - now)

    def charge(self, now: float, amount: float = 1.0) -> None:
        """Book a request of this size that starts now."""
        self._next = max(now, self._next) + self._interval * amount

    def correct(self, amount: float) -> None:
        """Book what a request turned out to be larger (or smaller) than charged."""
        self._next += self._interval * amount


def backoff(attempt: int, chance: float) -> float:
    """Return the seconds to wait before try `attempt` + 1: doubling from 1 to 60, jittered by `chance` in [0, 1)."""
    return min(60.0, 2.0 ** (attempt - 1)) * (0.5 + chance)
