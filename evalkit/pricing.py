"""What a call costs: tokens as the server counted them, prices from the suite or from a dated table that ships.

An unknown price is None, never zero. Whether a model costs money at all, its provider says.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from evalkit.calls import Model, Request, Usage
from evalkit.models import provider_class
from evalkit.suite import Price

_MILLION = 1_000_000
_TYPICAL_ANSWER = 800
"""Output tokens to expect of a request that sets no limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """US dollars per million tokens."""

    input: float
    output: float
    cached_input: float
    """Input read from the server's cache."""
    cache_write: float
    """Input written to the server's cache."""


FREE = Rate(input=0.0, output=0.0, cached_input=0.0, cache_write=0.0)


class Pricing:
    """Model → rate: the suite's own prices first, then the shipped table."""

    def __init__(self, prices: Iterable[tuple[Model, Price]] = ()) -> None:
        self._own = {_identity(model): _rate(price) for model, price in prices}

    def rate(self, model: Model) -> Rate | None:
        """Return the model's rate, or None where it is unknown.

        The table holds prices at the providers' own addresses: behind another address, a model costs what its owner
        says.
        """
        own = self._own.get(_identity(model)) if self._own else None
        if own is not None:
            return own
        provider = provider_class(model.provider)
        if provider.free or provider.in_process:
            return FREE
        if model.base_url or model.endpoint:
            return None
        rates = _table().rates
        return rates.get(str(model)) or rates.get(_undated(str(model)))

    def cost(self, model: Model, usage: Usage) -> float | None:
        """Return the US dollars of one call, or None where the price or the number of tokens is unknown."""
        rate = self.rate(model)
        if rate is FREE:
            return 0.0
        if rate is None or usage.input_tokens is None or usage.output_tokens is None:
            return None
        cached, written = usage.cached_tokens or 0, usage.cache_write_tokens or 0
        plain = max(0, usage.input_tokens - cached - written)
        dollars = plain * rate.input + cached * rate.cached_input + written * rate.cache_write
        return (dollars + usage.output_tokens * rate.output) / _MILLION

    def estimate(self, model: Model, *, input_tokens: float, output_tokens: float) -> float | None:
        """Return the US dollars of so many tokens without any cache, or None where the price is unknown."""
        rate = self.rate(model)
        return None if rate is None else (input_tokens * rate.input + output_tokens * rate.output) / _MILLION

    def expected(self, request: Request) -> float | None:
        """Return a cautious guess of what a request will cost, or None where the price is unknown."""
        output = request.sampling.max_tokens or _TYPICAL_ANSWER
        return self.estimate(request.model, input_tokens=rough_tokens(request) - output, output_tokens=output)

    @property
    def table_date(self) -> str:
        """When the shipped prices were looked up (ISO date)."""
        return _table().date


def rough_tokens(request: Request) -> float:
    """Return about how many tokens a request and its answer take, without a tokenizer."""
    written = sum(len(message.content.encode("utf-8", "replace")) for message in request.messages)
    return written / 3.5 + 8 * len(request.messages) + (request.sampling.max_tokens or _TYPICAL_ANSWER)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """The shipped prices."""

    date: str
    rates: dict[str, Rate]


@cache
def _table() -> _Table:
    """Read the table that ships with the package."""
    data = json.loads(resources.files("evalkit").joinpath("prices.json").read_text("utf-8"))
    rates = {
        f"{provider}/{name}": Rate(**dict(zip(data["columns"], row, strict=True)))
        for provider, models in data["models"].items()
        for name, row in models.items()
    }
    return _Table(date=data["date"], rates=rates)


def _rate(price: Price) -> Rate:
    """Return a suite's price as a rate; without a price for cached input it costs what other input costs."""
    cached = price.input if price.cached_input is None else price.cached_input
    return Rate(input=price.input, output=price.output, cached_input=cached, cache_write=price.input)


def _identity(model: Model) -> str:
    return json.dumps(model.identity(), sort_keys=True)


def _undated(name: str) -> str:
    """Return a model's name without the date of its snapshot: gpt-4.1-2025-04-14 and claude-x-20250514 alike."""
    head, dash, tail = name.rpartition("-")
    if dash and len(tail) == len("20250514") and tail.isdigit():
        return head
    year, month, day = len("2025-"), len("04-"), len("14")
    date = name[-(year + month + day) :]
    return name[: -len(date) - 1] if date.replace("-", "").isdigit() and date.count("-") == 2 else name  # noqa: PLR2004


def count_tokens(text: str) -> int:
    """Return the number of o200k tokens of a text; special tokens written in it count as plain text."""
    return len(_encoding().encode_ordinary(text.encode("utf-8", "replace").decode()))


@cache
def _encoding() -> Any:
    """Return the tokenizer; its table ships with its package, so no network is touched."""
    with warnings.catch_warnings():
        # The package still opens its table through a deprecated function of the standard library.
        warnings.simplefilter("ignore", DeprecationWarning)
        import bpe_openai

        return bpe_openai.get_encoding("o200k_base")
