"""What is published of Bedrock's models: ``prices.toml`` and ``traits.toml`` beside this file."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import msgspec

from gomodel_proxy.wire.published import PriceLine, read, read_traits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gomodel_proxy.api import Price

__all__ = ["published_prices", "published_traits"]

_REGIONAL: Final = Decimal("1.1")
_AMOUNTS: Final = (
    *("input", "output", "cache_read", "cache_write", "cache_write_1h"),
    *("batch_input", "batch_output"),
)


class _Prices(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: str
    source: str
    world: dict[str, PriceLine]
    models: dict[str, PriceLine]


@cache
def published_prices() -> tuple[Mapping[str, Price], str]:
    """Return prices by pattern, and their version; the file is read at the first call.

    Every id of a model has them: bare, of an inference profile (``us.``), with its version.
    """
    file = msgspec.toml.decode(read(__package__, "prices.toml"), type=_Prices)
    prices: dict[str, Price] = {f"*{name}*": price for name, price in file.models.items()}
    for name, price in file.world.items():
        prices[f"global.{name}*"] = price
        prices[f"*{name}*"] = _regional(price)
    return prices, file.version


def published_traits() -> Mapping[str, Mapping[str, Any]]:
    """Return what is peculiar to families of models."""
    return read_traits(__package__)


def _regional(price: Price) -> Price:
    """Return what a model costs that stays in one region or part of the world."""
    raised = {
        name: format((Decimal(amount) * _REGIONAL).normalize(), "f")
        for name in _AMOUNTS
        if (amount := getattr(price, name)) is not None
    }
    return msgspec.structs.replace(price, **raised)
