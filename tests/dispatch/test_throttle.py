"""Concurrency and rates as arithmetic on times: no clock, no waiting."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.dispatch.throttle import Concurrency, Pace, backoff


def serve(slots: Concurrency, *, seconds: float, throughput, start: float = 0.0) -> float:
    """Let answers arrive at `throughput(limit)` a second for some seconds; return the time then."""
    now = start
    while now < start + seconds:
        now += 1 / throughput(slots.limit)
        slots.answered(now, saturated=True)
    return now


def test_grows_to_the_maximum_while_that_pays() -> None:
    slots = Concurrency(20, 256)
    serve(slots, seconds=60, throughput=lambda limit: 10 * limit)
    assert slots.limit == 256


def test_stays_where_doubling_brings_nothing() -> None:
    """A server that handles 300 a second whatever is thrown at it: more in flight would only wait longer."""
    slots = Concurrency(20, 256)
    serve(slots, seconds=50, throughput=lambda limit: min(10 * limit, 300))
    assert 20 <= slots.limit <= 40


def test_tries_again_later_since_servers_grow_too() -> None:
    slots = Concurrency(20, 256)
    now = serve(slots, seconds=50, throughput=lambda limit: min(10 * limit, 300))
    serve(slots, seconds=120, throughput=lambda limit: 10 * limit, start=now)
    assert slots.limit == 256


def test_never_grows_while_the_slots_are_not_all_taken() -> None:
    slots = Concurrency(20, 256)
    for tick in range(10_000):
        slots.answered(tick * 0.001, saturated=False)
    assert slots.limit == 20


def test_one_episode_of_429s_shrinks_once() -> None:
    slots = Concurrency(100, 256)
    for number in range(100):
        slots.rate_limited(10.0 + number * 0.01, sent=9.0)
    assert slots.limit == 80


def test_the_next_episode_shrinks_again() -> None:
    slots = Concurrency(100, 256)
    slots.rate_limited(10.0, sent=9.0)
    slots.rate_limited(24.0, sent=23.0)
    assert slots.limit == 80
    slots.rate_limited(26.0, sent=25.5)
    assert slots.limit == 64


def test_a_429_to_a_request_sent_before_the_shrink_tells_nothing_new() -> None:
    slots = Concurrency(100, 256)
    slots.rate_limited(10.0, sent=9.0)
    slots.rate_limited(60.0, sent=9.5)
    assert slots.limit == 80


def test_after_a_429_it_grows_carefully() -> None:
    slots = Concurrency(100, 256)
    slots.rate_limited(10.0, sent=9.0)
    now = serve(slots, seconds=14, throughput=lambda limit: 10 * limit, start=10.0)
    assert slots.limit == 80
    serve(slots, seconds=1.0, throughput=lambda limit: 10 * limit, start=now + 2)
    assert 80 < slots.limit <= 120


def test_the_limit_never_falls_below_one() -> None:
    slots = Concurrency(2, 256)
    for episode in range(10):
        slots.rate_limited(100.0 * episode, sent=100.0 * episode - 1)
    assert slots.limit == 1


@given(
    per_minute=st.floats(1, 10_000),
    gaps=st.lists(st.floats(0, 30), min_size=1, max_size=200),
)
def test_no_minute_sees_more_than_the_rate_and_one(per_minute: float, gaps: list[float]) -> None:
    pace, now, sent = Pace(per_minute), 0.0, []
    for gap in gaps:
        now += gap
        now += pace.wait(now)
        pace.charge(now)
        sent.append(now)
    for first in sent:
        assert sum(first <= moment < first + 60 for moment in sent) <= per_minute + 1 + 1e-6


def test_large_requests_take_more_of_the_rate() -> None:
    pace = Pace(60_000)
    pace.charge(0.0, 5000)
    assert pace.wait(0.0) == pytest.approx(5.0)
    pace.correct(-2000)
    assert pace.wait(0.0) == pytest.approx(3.0)


def test_without_a_rate_nothing_waits() -> None:
    pace = Pace(None)
    pace.charge(0.0, 1e9)
    assert pace.wait(0.0) == 0.0


def test_backoff_doubles_up_to_a_minute_with_jitter() -> None:
    assert [backoff(attempt, 0.5) for attempt in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert backoff(3, 0.0) == 2
    assert backoff(3, 0.999) < 6
