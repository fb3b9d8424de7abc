"""The published prices are whole and make sense."""

from __future__ import annotations

from decimal import Decimal
from fnmatch import fnmatchcase
from itertools import pairwise

import pytest

from gomodel_proxy.api import Price
from gomodel_proxy.wire.published import read_prices
from gomodel_proxy_openai import SNAPSHOT

PRICES, VERSION = read_prices("gomodel_proxy_openai", snapshot=SNAPSHOT)
MEMBERS = [name for name in Price.__struct_fields__ if name != "tiers"]


def price(model: str) -> Price | None:
    """Return the price as the core finds it: the id, then the longest pattern."""
    if model in PRICES:
        return PRICES[model]
    matching = [name for name in PRICES if fnmatchcase(model, name)]
    return PRICES[max(matching, key=len)] if matching else None


@pytest.mark.parametrize("model", PRICES)
def test_every_price_is_a_decimal_number_with_input_and_output(model: str) -> None:
    entry = PRICES[model]
    for name in MEMBERS:
        text = getattr(entry, name)
        assert text is None or Decimal(text) >= 0, name
    assert entry.input is not None
    assert entry.output is not None


@pytest.mark.parametrize("model", PRICES)
def test_discounts_are_discounts(model: str) -> None:
    entry = PRICES[model]
    for less, more in (
        (entry.cache_read, entry.input),
        (entry.batch_input, entry.input),
        (entry.batch_output, entry.output),
        (entry.input, entry.cache_write),
    ):
        if less is not None and more is not None:
            assert Decimal(less) <= Decimal(more)


@pytest.mark.parametrize("model", [name for name in PRICES if PRICES[name].tiers])
def test_long_inputs_cost_more_in_every_class(model: str) -> None:
    entry = PRICES[model]
    for before, tier in pairwise((entry, *entry.tiers)):
        for name in ("input", "output", "cache_read", "cache_write"):
            usual, long = getattr(before, name), getattr(tier, name)
            assert (usual is None) == (long is None), name
            assert usual is None or Decimal(usual) < Decimal(long)


@pytest.mark.parametrize(
    ("snapshot", "model"),
    [
        ("gpt-4o-2024-08-06", "gpt-4o"),
        ("gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
        ("gpt-5-mini-2025-08-07", "gpt-5-mini"),
        ("o3-2025-04-16", "o3"),
        ("omni-moderation-2024-09-26", "omni-moderation"),
    ],
)
def test_a_snapshot_costs_what_its_model_does(snapshot: str, model: str) -> None:
    assert price(snapshot) == price(model) is not None


def test_a_snapshot_with_a_price_of_its_own() -> None:
    first = price("gpt-4o-2024-05-13")
    assert first is not None
    assert first.input == "5"


@pytest.mark.parametrize("model", ["gpt-4o-transcribe", "gpt-4o-2024", "gpt-5-ultra", "whisper-1"])
def test_what_is_not_listed_has_no_price(model: str) -> None:
    assert price(model) is None


def test_moderation_is_free() -> None:
    assert price("omni-moderation-latest") == price("omni-moderation")
    assert PRICES["omni-moderation-latest"].input == "0"


def test_prices_have_a_date() -> None:
    assert VERSION.count("-") == 2
