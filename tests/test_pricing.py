"""What calls cost: known prices exactly, unknown prices as unknown."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

import pytest

from evalkit.calls import Message, Model, Request, Sampling, Usage
from evalkit.catalogue import Price, catalogue
from evalkit.errors import InputError
from evalkit.models import provider_names
from evalkit.pricing import Pricing, price_table, prices_for, rough_tokens, shipped_prices

SOL = Model(provider="openai", name="gpt-6-sol")
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


def test_shipped_prices_are_dated_and_plausible() -> None:
    assert catalogue().date <= datetime.now(UTC).date()
    assert Pricing().table.name == f"the table of {catalogue().date}"
    assert set(catalogue().models) <= set(provider_names())
    for name, price in shipped_prices().prices.items():
        cached = price.input if price.cached_input is None else price.cached_input
        stored = price.input if price.cache_write is None else price.cache_write
        assert 0 < cached <= price.input <= stored <= 1.25 * price.input, name
        assert price.input < price.output <= 10 * price.input, name


def test_reasoning_tokens_are_output_tokens_and_count_once() -> None:
    usage = Usage(input_tokens=0, output_tokens=1_000_000, reasoning_tokens=900_000)
    assert Pricing().cost(SOL, usage) == pytest.approx(10.0)


def test_a_long_request_costs_the_long_tier_and_a_sum_of_short_ones_does_not() -> None:
    at, above = (Usage(input_tokens=tokens, output_tokens=0) for tokens in (272_000, 272_001))
    assert Pricing().cost(SOL, at) == pytest.approx(0.544)
    assert Pricing().cost(SOL, above) == pytest.approx(2 * 0.544002)
    many = Pricing().estimate(SOL, input_tokens=1_000_000, output_tokens=0, requests=1000)
    assert many == pytest.approx(2.0)
    assert Pricing().estimate(SOL, input_tokens=1_000_000, output_tokens=0) == pytest.approx(4.0)


def test_the_batch_factor_is_half_where_it_is_known_and_unknown_elsewhere() -> None:
    assert Pricing().batch_factor(SOL) == 0.5
    assert Pricing().batch_factor(CLAUDE) is None
    assert Pricing().batch_factor(Model(provider="openai", name="nobody-knows")) is None


FILE = {"date": "2026-12-01", "models": {"openai": {"gpt-6-sol": {"price": {"input": 1.0, "output": 5.0}}}}}


@pytest.mark.parametrize("indent", [None, 1, "\t"])
def test_a_file_of_prices_stands_before_the_shipped_table(tmp_path: Path, indent: int | str | None) -> None:
    (tmp_path / "ours.json").write_text(json.dumps(FILE, indent=indent))
    pricing = Pricing(table=price_table(tmp_path / "ours.json"))
    assert pricing.cost(SOL, Usage(input_tokens=1_000_000, output_tokens=0)) == pytest.approx(1.0)
    assert pricing.rate(CLAUDE) == Pricing().rate(CLAUDE)
    assert pricing.table.name == f"the table of {catalogue().date}, changed by ours.json of 2026-12-01"


def test_the_shipped_table_itself_is_a_file_of_prices() -> None:
    with resources.as_file(resources.files("evalkit") / "catalogue.json") as path:
        assert price_table(path).prices == shipped_prices().prices


@pytest.mark.parametrize(
    ("old", "new", "where", "mend"),
    [
        ('"input": 1.0', '"input": -1', "ours.json:1 (models.openai.gpt-6-sol.price.input)", "US dollars per million"),
        ('"output": 5.0', '"outptu": 5.0', "ours.json:1 (models.openai.gpt-6-sol.price.outptu)", "did you mean"),
        ('"openai"', '"opnai"', "ours.json:1 (models.opnai)", "did you mean 'openai'?"),
        ('"date": "2026-12-01", ', "", "ours.json:1 (date)", "add it"),
        ("{", "[", "ours.json:1", ""),
    ],
)
def test_a_wrong_file_of_prices_is_named_with_its_entry_and_its_mend(
    tmp_path: Path, old: str, new: str, where: str, mend: str
) -> None:
    (tmp_path / "ours.json").write_text(json.dumps(FILE).replace(old, new, 1))
    with pytest.raises(InputError) as caught:
        price_table(tmp_path / "ours.json")
    assert where in str(caught.value)
    assert mend in str(caught.value)


def test_a_missing_file_of_prices_names_the_option(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"EVALKIT_PRICES: cannot read .*none\.json: No such file"):
        price_table(tmp_path / "none.json", where="EVALKIT_PRICES")


LOCAL = Model(provider="openai", name="mine", base_url="http://127.0.0.1:8000/v1")


@pytest.mark.parametrize("reference", ["openai/mine", "openai/mine@http://127.0.0.1:8000/v1"])
def test_a_price_of_the_command_line_is_that_of_the_model_wherever_it_is_asked(reference: str) -> None:
    price = Price(input=1.0, output=2.0)
    assert prices_for({reference: price}, [LOCAL, GPT]) == [(LOCAL, price)]


def test_a_price_for_a_model_that_is_not_asked_is_refused() -> None:
    with pytest.raises(InputError, match="does not ask 'openai/mini'\n    did you mean 'openai/mine'"):
        prices_for({"openai/mini": Price(input=1.0, output=2.0)}, [LOCAL])


def test_rough_tokens_grow_with_text_and_limit() -> None:
    def tokens(text: str, limit: int) -> float:
        request = Request(model=GPT, messages=(Message("user", text),), sampling=Sampling(max_tokens=limit))
        return rough_tokens(request)

    assert tokens("word " * 100, 10) > tokens("word", 10)
    assert tokens("word", 1000) == tokens("word", 10) + 990
