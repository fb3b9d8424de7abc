"""What tokens cost at one price."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gomodel_proxy.api import Price, Usage
from gomodel_proxy.api.values import PriceTier
from gomodel_proxy.engine.tariff import Costs, Tariff, faults

MINI = Price(
    input="0.15", cache_read="0.075", output="0.60", batch_input="0.075", batch_output="0.30"
)
LONG = Price(
    input="2",
    cache_read="0.20",
    cache_write="2.50",
    output="10",
    batch_input="1",
    batch_output="5",
    tiers=(
        PriceTier(above=272_000, input="4", cache_read="0.40", output="15"),
        PriceTier(above=500_000, input="8"),
    ),
)


def cost(price: Price, usage: Usage, *, batch: bool = False) -> Costs:
    return Tariff(price).cost(usage, batch=batch)


def test_plain_tokens() -> None:
    # 1,000 tokens at 0.15 USD per million are 150 micro-USD
    assert cost(MINI, Usage(input=1_000, output=10)) == Costs(150_000_000, 6_000_000, 156_000_000)


def test_cached_tokens_are_a_part_of_the_input() -> None:
    assert cost(MINI, Usage(input=1_000, cache_read=400, output=0)).input == 120_000_000


def test_parts_without_a_price_cost_what_the_whole_does() -> None:
    usage = Usage(input=10, cache_write=3, audio_input=3, output=10, reasoning=4, audio_output=6)
    assert cost(MINI, usage) == cost(MINI, Usage(input=10, output=10))


def test_parts_with_a_price() -> None:
    price = Price(
        input="1", cache_write="2", audio_input="10", output="3", reasoning="4", audio_output="20"
    )
    usage = Usage(input=10, cache_write=1, audio_input=2, output=10, reasoning=5, audio_output=1)
    assert cost(price, usage) == Costs(29_000_000, 52_000_000, 81_000_000)


def test_parts_that_claim_more_than_the_whole_are_cut() -> None:
    usage = Usage(input=10, cache_read=100, audio_input=100, output=0)
    assert (
        cost(Price(input="4", cache_read="1", audio_input="9", output="1"), usage).input
        == 10_000_000
    )


def test_tiers_are_for_the_whole_request() -> None:
    below, above = Usage(input=272_000, output=1), Usage(input=272_001, output=1)
    assert cost(LONG, below) == Costs(
        272_000 * 2_000_000, 10_000_000, 272_000 * 2_000_000 + 10_000_000
    )
    assert cost(LONG, above).input == 272_001 * 4_000_000
    assert cost(LONG, above).output == 15_000_000


def test_a_tier_keeps_what_it_does_not_name() -> None:
    usage = Usage(input=600_000, cache_read=1, cache_write=1, output=1)
    made = cost(LONG, usage)
    assert made.input == 599_998 * 8_000_000 + 400_000 + 2_500_000
    assert made.output == 15_000_000


def test_a_batch_discounts_every_class_alike() -> None:
    usage = Usage(input=300_000, cache_read=100_000, output=1_000)
    whole, batch = cost(LONG, usage), cost(LONG, usage, batch=True)
    assert whole.total is not None
    assert batch.total is not None
    assert batch.total * 2 == whole.total


def test_a_batch_without_a_price_costs_the_usual() -> None:
    price, usage = Price(input="1", output="2"), Usage(input=5, output=5)
    assert cost(price, usage, batch=True) == cost(price, usage)


def test_a_batch_may_be_all_that_has_a_price() -> None:
    price, usage = Price(batch_input="1", batch_output="2"), Usage(input=5, output=5)
    assert cost(price, usage) == Costs()
    assert cost(price, usage, batch=True) == Costs(5_000_000, 10_000_000, 15_000_000)


def test_per_request() -> None:
    price = Price(input="1", output="0", per_request="0.005")
    assert cost(price, Usage(input=1, output=1)) == Costs(1_000_000, 0, 5_001_000_000)


@pytest.mark.parametrize(
    ("price", "usage", "costs"),
    [
        (Price(), Usage(), Costs()),
        (Price(), Usage(input=1, output=1), Costs()),
        (Price(), Usage(input=0, output=0), Costs(0, 0, 0)),
        (Price(output="1"), Usage(input=1, output=1), Costs(None, 1_000_000, None)),
        (Price(input="1"), Usage(input=1, output=1), Costs(1_000_000, None, None)),
        (Price(input="1", output="1"), Usage(input=1), Costs(1_000_000, None, None)),
        (Price(input="1"), Usage(input=1, output=0), Costs(1_000_000, 0, 1_000_000)),
        # what is free is free in any number
        (Price(input="1", output="0"), Usage(input=1), Costs(1_000_000, 0, 1_000_000)),
        (Price(input="0", output="0"), Usage(), Costs(0, 0, 0)),
        (Price(input="0", cache_read="1", output="0"), Usage(), Costs(None, 0, None)),
        # only the part that was used needs a price
        (
            Price(audio_input="1"),
            Usage(input=2, audio_input=2, output=0),
            Costs(2_000_000, 0, 2_000_000),
        ),
        (Price(audio_input="1"), Usage(input=3, audio_input=2, output=0), Costs(None, 0, None)),
        (Price(input="1", output="1"), Usage(input=-5, output=-5), Costs(0, 0, 0)),
    ],
)
def test_unknown_is_none_and_nothing_is_zero(price: Price, usage: Usage, costs: Costs) -> None:
    assert cost(price, usage) == costs


def test_what_is_finer_than_a_pico_usd_is_rounded_once() -> None:
    price = Price(input="0.0000003", output="0")  # 0.3 pico-USD per token
    assert [cost(price, Usage(input=count, output=0)).input for count in (1, 2, 10, 1000)] == [
        0,
        1,
        3,
        300,
    ]


@pytest.mark.parametrize(
    "text", ["", "free", "-1", "1e3", "1/3", " 1", "1,5", ".5", "nan", "\u0661"]
)
def test_what_is_no_decimal_number(text: str) -> None:
    assert faults(Price(input=text)) == [("input", text)]
    assert faults(Price(tiers=(PriceTier(above=1, output=text),))) == [("tiers[0].output", text)]
    with pytest.raises(ValueError, match="no decimal number"):
        Tariff(Price(input=text))


def test_what_is_kept_for_an_hour_has_its_own_price() -> None:
    price = Price(input="1", output="0", cache_write="2", cache_write_1h="5")
    usage = Usage(input=100, output=0, cache_write=30, cache_write_1h=10)
    assert cost(price, usage).input == (70 * 1 + 20 * 2 + 10 * 5) * 10**6
    batched = msgspec.structs.replace(price, batch_input="0.50", batch_output="0")
    assert cost(batched, usage, batch=True).input == (70 + 40 + 50) * 10**6 // 2


@pytest.mark.parametrize(("price", "each"), [({"cache_write": "2"}, 2), ({}, 1)])
def test_without_a_price_an_hour_costs_what_other_writes_do(price: Any, each: int) -> None:
    tier = PriceTier(above=10**6, input="1", cache_write="9")
    price = Price(input="1", output="0", **price, tiers=(tier,))
    usage = Usage(input=100, output=0, cache_write=30, cache_write_1h=30)
    assert cost(price, usage).input == (70 + 30 * each) * 10**6
    longer = msgspec.structs.replace(usage, input=10**6 + 30)
    assert cost(price, longer).input == (10**6 + 30 * 9) * 10**6


_RATES = st.decimals(min_value=0, max_value=1000, places=6).map(lambda rate: f"{rate:f}")
_SOME = st.none() | _RATES
_COUNTS = st.none() | st.integers(min_value=0, max_value=2_000_000)
_PRICES = st.builds(
    Price,
    **dict.fromkeys(
        (
            "input",
            "output",
            "cache_read",
            "cache_write",
            "cache_write_1h",
            "reasoning",
            "audio_input",
            "audio_output",
            "batch_input",
            "batch_output",
            "per_request",
        ),
        _SOME,
    ),
    tiers=st.lists(
        st.builds(
            PriceTier,
            above=st.integers(min_value=0, max_value=1_000_000),
            **dict.fromkeys(
                ("input", "output", "cache_read", "cache_write", "cache_write_1h"), _SOME
            ),
        ),
        max_size=3,
    ).map(tuple),
)
_USAGES = st.builds(
    Usage,
    **dict.fromkeys(
        (
            "input",
            "output",
            "cache_read",
            "cache_write",
            "cache_write_1h",
            "reasoning",
            "audio_input",
            "audio_output",
        ),
        _COUNTS,
    ),
)


@given(_PRICES, _USAGES, st.booleans())
def test_never_negative_and_the_sum_of_its_parts(price: Price, usage: Usage, batch: bool) -> None:
    made = cost(price, usage, batch=batch)
    assert all(part is None or part >= 0 for part in (made.input, made.output, made.total))
    if made.input is None or made.output is None:
        assert made.total is None
    else:
        request = Decimal(price.per_request or 0) * 10**12
        assert made.total == made.input + made.output + request


@given(_PRICES, _USAGES)
def test_no_price_no_cost(price: Price, usage: Usage) -> None:
    if (
        usage.input
        and all(
            rate is None
            for tier in (price, *price.tiers)
            for rate in (tier.input, tier.cache_read, tier.cache_write, tier.cache_write_1h)
        )
        and price.audio_input is None
    ):
        assert cost(price, usage).input is None
    if usage.input == 0:
        assert cost(price, usage).input == 0


@given(_RATES, _RATES, _USAGES, st.integers(min_value=0, max_value=10**6))
def test_more_tokens_never_cost_less(one: str, other: str, usage: Usage, more: int) -> None:
    price = Price(input=one, cache_read=other, output=other, reasoning=one)
    longer = Usage(
        input=None if usage.input is None else usage.input + more,
        output=None if usage.output is None else usage.output + more,
        cache_read=usage.cache_read,
        reasoning=usage.reasoning,
    )
    before, after = cost(price, usage), cost(price, longer)
    for less, greater in ((before.input, after.input), (before.output, after.output)):
        assert (less is None) == (greater is None)
        if less is not None and greater is not None:
            assert less <= greater


@given(_RATES, _RATES, st.integers(0, 10**7), st.integers(0, 10**7))
def test_exact(input_: str, output: str, read: int, written: int) -> None:
    made = cost(Price(input=input_, output=output), Usage(input=read, output=written))
    assert made.input == Fraction(input_) * 10**6 * read
    assert made.output == Fraction(output) * 10**6 * written
