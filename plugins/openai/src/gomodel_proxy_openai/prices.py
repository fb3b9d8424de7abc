"""OpenAI's published prices, from ``prices.toml`` beside this file."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

import msgspec

from gomodel_proxy.api import Price

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["published"]

_SNAPSHOT: Final = "-2[0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"


class _Line(Price, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A price as the file writes it: a member that is misspelt is an error."""


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: str
    source: str
    models: dict[str, _Line]


@cache
def published() -> tuple[Mapping[str, Price], str]:
    """Return prices by id and pattern, and their version; the file is read at the first call."""
    text = files(__package__).joinpath("prices.toml").read_bytes()
    file = msgspec.toml.decode(text, type=_File)
    prices: dict[str, Price] = {}
    for name, price in file.models.items():
        prices[name] = price
        # a snapshot costs what its model costs, unless it has a line of its own
        prices.setdefault(name + _SNAPSHOT, price)
    return prices, file.version
