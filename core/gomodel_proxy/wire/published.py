"""What a plugin's ``prices.toml`` and ``traits.toml`` say of its vendor's models.

Both name their ``source``; prices have the ``version`` that is kept with every cost they made::

    version = "2026-11-22"
    source = "https://acme.example/pricing"

    [models]
    "acme-1" = { input = "0.15", output = "0.60" }
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import msgspec

from gomodel_proxy.api import Price

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PriceLine", "decode_prices", "decode_traits", "read", "read_prices", "read_traits"]


class PriceLine(Price, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A price as the file writes it: a member that is misspelt is an error."""


class _Prices(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: str
    source: str
    models: dict[str, PriceLine]


class _Traits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    source: str
    models: dict[str, dict[str, Any]]


def decode_prices(file: bytes, *, snapshot: str = "") -> tuple[Mapping[str, Price], str]:
    """Return prices by id or pattern, and their version.

    ``snapshot`` is the pattern of what dates add to an id: a snapshot costs what its model costs,
    unless it has a line of its own.
    """
    read = msgspec.toml.decode(file, type=_Prices)
    prices: dict[str, Price] = {}
    for name, price in read.models.items():
        prices[name] = price
        if snapshot:
            prices.setdefault(name + snapshot, price)
    return prices, read.version


def decode_traits(file: bytes) -> Mapping[str, Mapping[str, Any]]:
    """Return what is peculiar to families of models, by pattern, in the order of the file."""
    return msgspec.toml.decode(file, type=_Traits).models


@cache
def read_prices(package: str, *, snapshot: str = "") -> tuple[Mapping[str, Price], str]:
    """Return what ``prices.toml`` in a plugin's package says; it is read at the first call."""
    return decode_prices(read(package, "prices.toml"), snapshot=snapshot)


@cache
def read_traits(package: str) -> Mapping[str, Mapping[str, Any]]:
    """Return what ``traits.toml`` in a plugin's package says; it is read at the first call."""
    return decode_traits(read(package, "traits.toml"))


def read(package: str, name: str) -> bytes:
    """Return a file in a plugin's package."""
    return files(package).joinpath(name).read_bytes()
