"""Concurrency and rates as arithmetic on times: no clock, no waiting."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.dispatch.throttle import Concurrency, Pace, backoff


def serve(places: Concurrency, *, seconds: float, throughput, start: float = 0.0) -> float:
    """Let answers arrive at `throughput(limit)` a second for some seconds; return the time then."""
    now = start
    while now < start + seconds:
        now += 1 / throughput(places.limit)
        places.answered(now, full=True)
    return now


def test_grows_to_the_maximum_while_that_pays() -> None:
    places = Concurrency(20, 256)
    serve(places, seconds=60, throughput=lambda limit: 10 * limit)
    assert places.limit == 256


def test_stays_where_doubling_brings_nothing() -> None:
    """A server that handles 300 a second whatever is thrown at it: more in flight would only wait longer."""
    places = Concurrency(20, 256)
    serve(places, seconds=50, throughput=lambda limit: min(10 * limit, 300))
    assert 20 <= places.limit <= 40


def test_tries_again_later_since_servers_grow_too() -> None:
    places = Concurrency(20, 256)
    now = serve(places, seconds=50, throughput=lambda limit: min(10 * limit, 300))
    serve(places, seconds=120, throughput=lambda limit: 10 * limit, start=now)
    assert places.limit == 256


def test_never_grows_while_the_places_are_not_all_taken() -> None:
    places = Concurrency(20, 256)
    for tick in range(10_000):
        places.answered(tick * 0.001, full=False)
    assert places.limit == 20


def test_one_episode_of_429s_shrinks_once() -> None:
    places = Concurrency(100, 256)
    for number in range(100):
        places.rate_limited(10.0 + number * 0.01, sent=9.0)
    assert places.limit == 80


def test_the_next_episode_shrinks_again() -> None:
    places = Concurrency(100, 256)
    places.rate_limited(10.0, sent=9.0)
    places.rate_limited(24.0, sent=23.0)
    assert places.limit == 80
    places.rate_limited(26.0, sent=25.5)
    assert places.limit == 64


def test_a_429_to_a_request_sent_before_the_shrink_tells_nothing_new() -> None:
    places = Concurrency(100, 256)
    places.rate_limited(10.0, sent=9.0)
    places.rate_limited(60.0, sent=9.5)
    assert places.limit == 80


def test_after_a_429_it_grows_carefully() -> None:
    places = Concurrency(100, 256)
    places.rate_limited(10.0, sent=9.0)
    now = serve(places, seconds=14, throughput=lambda limit: 10 * limit, start=10.0)
    assert places.limit == 80
    serve(places, seconds=1.0, throughput=lambda limit: 10 * limit, start=now + 2)
    assert 80 < places.limit <= 120


def test_the_limit_never_falls_below_one() -> None:
    places = Concurrency(2, 256)
    for episode in range(10):
        places.rate_limited(100.0 * episode, sent=100.0 * episode - 1)
    assert places.limit == 1


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
