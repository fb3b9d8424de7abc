"""What Anthropic publishes of its models: ``prices.toml`` and ``traits.toml`` beside this file."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import msgspec

from gomodel_proxy.api import Price

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["published_prices", "published_traits"]

_SNAPSHOT: Final = "-2[0-9][0-9][0-9][0-9][0-9][0-9][0-9]"
_WITHOUT_SAMPLING: Final = "2026-10-21"
"""The version of the API that took ``temperature``, ``top_p`` and ``top_k`` away."""


class _Line(Price, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A price as the file writes it: a member that is misspelt is an error."""


class _Prices(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: str
    source: str
    models: dict[str, _Line]


class _Family(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    max_tokens: int | None = None
    thinking: str | None = None
    thinking_off: str | None = None
    efforts: list[str] | None = None
    sampling: str | None = None
    system_turns: bool | None = None
    forced_tools: bool | None = None
    formats: bool | None = None
    max_image_bytes: int | None = None


class _Traits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    source: str
    families: dict[str, _Family]


@cache
def published_prices() -> tuple[Mapping[str, Price], str]:
    """Return prices by id and pattern, and their version; the file is read at the first call."""
    file = msgspec.toml.decode(_read("prices.toml"), type=_Prices)
    prices: dict[str, Price] = {}
    for name, price in file.models.items():
        prices[name] = price
        # a snapshot costs what its model costs, unless it has a line of its own
        prices.setdefault(name + _SNAPSHOT, price)
    return prices, file.version


@cache
def published_traits(version: str) -> Mapping[str, Mapping[str, Any]]:
    """Return what is peculiar to families of models under a version of the API."""
    file = msgspec.toml.decode(_read("traits.toml"), type=_Traits)
    traits = {name: msgspec.to_builtins(family) for name, family in file.families.items()}
    if version >= _WITHOUT_SAMPLING:
        for family in traits.values():
            family.pop("sampling", None)
    return traits


def _read(name: str) -> bytes:
    return files(__package__).joinpath(name).read_bytes()
