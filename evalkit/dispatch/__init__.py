"""Requests in, responses into the ledger: concurrency, rate limits, retries, budgets, interruption.

Every policy of how a model is asked stands here and nowhere else; a provider only asks once and says what went wrong.

    fetch      what is asked for ─► the ledger ─► what is missing, by model, one lane each
    engines    the in-process engine that is loaded, kept between fetches
    lane       one model: who goes next, what is done with each fault
    pacing     how many at once, how many a minute (plain arithmetic on times)
    stopping   when to stop: error budget, caps, refused keys, Ctrl-C
"""

from evalkit.dispatch.fetch import Engines, fetch
from evalkit.dispatch.types import Event, EventKind, Failed, Fetched, Limits, Task

__all__ = ["Engines", "Event", "EventKind", "Failed", "Fetched", "Limits", "Task", "fetch"]
