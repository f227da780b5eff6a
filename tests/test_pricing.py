"""What calls cost: known prices exactly, unknown prices as unknown."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from importlib import resources

import pytest

from evalkit.calls import Message, Model, Request, Sampling, Usage
from evalkit.models import provider_names
from evalkit.pricing import Pricing, rough_tokens
from evalkit.suite import Price

GPT = Model(provider="openai", name="gpt-4.1")
CLAUDE = Model(provider="anthropic", name="claude-sonnet-4-5")


def test_cost_is_tokens_times_the_price_per_million() -> None:
    usage = Usage(input_tokens=1_000_000, output_tokens=500_000)
    assert Pricing().cost(GPT, usage) == pytest.approx(2.0 + 4.0)


def test_cached_and_written_tokens_are_part_of_the_input_at_their_own_price() -> None:
    usage = Usage(input_tokens=1_000_000, output_tokens=0, cached_tokens=600_000, cache_write_tokens=300_000)
    assert Pricing().cost(CLAUDE, usage) == pytest.approx(0.1 * 3.0 + 0.6 * 0.3 + 0.3 * 3.75)


def test_unknown_price_is_none_and_never_zero() -> None:
    pricing = Pricing()
    usage = Usage(input_tokens=10, output_tokens=10)
    unknown = Model(provider="openai", name="nobody-knows")
    assert pricing.cost(unknown, usage) is None
    assert pricing.estimate(unknown, input_tokens=1, output_tokens=1) is None
    assert pricing.expected(Request(model=unknown, messages=(Message("user", "hi"),))) is None


def test_unknown_usage_is_an_unknown_cost() -> None:
    assert Pricing().cost(GPT, Usage()) is None
    assert Pricing().cost(GPT, Usage(input_tokens=5)) is None


def test_a_model_of_the_same_name_elsewhere_has_no_known_price() -> None:
    elsewhere = Model(provider="openai", name="gpt-4.1", base_url="http://127.0.0.1:1/v1")
    assert Pricing().rate(elsewhere) is None


def test_the_suites_price_wins() -> None:
    elsewhere = Model(provider="openai", name="gpt-4.1", base_url="http://127.0.0.1:1/v1")
    pricing = Pricing([(elsewhere, Price(input=1.0, output=2.0)), (GPT, Price(input=7.0, output=7.0))])
    usage = Usage(input_tokens=1_000_000, output_tokens=1_000_000, cached_tokens=1_000_000)
    assert pricing.cost(elsewhere, usage) == pytest.approx(3.0)
    assert pricing.cost(GPT, usage) == pytest.approx(14.0)


@pytest.mark.parametrize("provider", ["vllm", "recorded", "offline"])
def test_models_in_this_process_cost_no_money(provider: str) -> None:
    assert Pricing().cost(Model(provider=provider, name="any"), Usage()) == 0.0


@pytest.mark.parametrize(
    ("name", "same"),
    [
        ("openai/gpt-4.1-2025-04-14", "openai/gpt-4.1"),
        ("openai/gpt-4o-2024-11-20", "openai/gpt-4o"),
        ("anthropic/claude-sonnet-4-5-20250929", "anthropic/claude-sonnet-4-5"),
    ],
)
def test_dated_snapshots_cost_what_the_model_costs(name: str, same: str) -> None:
    assert Pricing().rate(Model.parse(name)) == Pricing().rate(Model.parse(same))


def test_a_snapshot_with_a_price_of_its_own_keeps_it() -> None:
    assert Pricing().rate(Model.parse("openai/gpt-4o-2024-05-13")) != Pricing().rate(Model.parse("openai/gpt-4o"))


def test_shipped_table_is_dated_and_plausible() -> None:
    assert date.fromisoformat(Pricing().table_date) <= datetime.now(UTC).date()
    table = json.loads(resources.files("evalkit").joinpath("prices.json").read_text("utf-8"))
    assert set(table["models"]) <= set(provider_names())
    for name, (read, written, cached, stored) in [row for rows in table["models"].values() for row in rows.items()]:
        assert 0 < cached <= read <= stored <= 1.25 * read, name
        assert read < written <= 10 * read, name


def test_rough_tokens_grow_with_text_and_limit() -> None:
    def tokens(text: str, limit: int) -> float:
        request = Request(model=GPT, messages=(Message("user", text),), sampling=Sampling(max_tokens=limit))
        return rough_tokens(request)

    assert tokens("word " * 100, 10) > tokens("word", 10)
    assert tokens("word", 1000) == tokens("word", 10) + 990
