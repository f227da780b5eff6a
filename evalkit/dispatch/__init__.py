"""Requests in, responses into the ledger: concurrency, rate limits, retries, budgets, interruption.

All rules of how models are asked stand here; a provider asks once and says what went wrong.

    session    one run's way to ask; asks again where a reply cannot be read; counts money
    fetch      tasks, less those that the ledger has answered, by model; the in-process engine that is loaded
    queue      one model's requests: which goes next, what is done with each response and each fault
    throttle   how many requests at once, how many a minute (plain arithmetic on times)
    stop       when to stop: error budget, caps, refused keys, Ctrl-C
    types      what goes in, what is reported on the way, what comes out
"""

from evalkit.dispatch.fetch import fetch
from evalkit.dispatch.session import ModelCost, Progress, Quiet, Replies, Session, ask_until_read, open_session
from evalkit.dispatch.types import Event, EventKind, Failed, Fetched, Limits, Task

__all__ = [
    "Event",
    "EventKind",
    "Failed",
    "Fetched",
    "Limits",
    "ModelCost",
    "Progress",
    "Quiet",
    "Replies",
    "Session",
    "Task",
    "ask_until_read",
    "fetch",
    "open_session",
]
