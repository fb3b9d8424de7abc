"""What is published of Bedrock's models: ``prices.toml`` and ``traits.toml`` beside this file."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import msgspec

from gomodel_proxy.api import Price

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["published_prices", "published_traits"]

_REGIONAL: Final = Decimal("1.1")
_AMOUNTS: Final = (
    *("input", "output", "cache_read", "cache_write", "cache_write_1h"),
    *("batch_input", "batch_output"),
)


class _Line(Price, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A price as the file writes it: a member that is misspelt is an error."""


class _Prices(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: str
    source: str
    world: dict[str, _Line]
    models: dict[str, _Line]


class _Family(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    system: bool | None = None
    sampling: str | None = None
    top_k: str | None = None
    formats: bool | None = None
    stop_field: str | None = None
    forced_tools: bool | None = None
    tool_choices: list[str] | None = None
    parallel_tools: str | None = None
    tool_result_media: list[str] | None = None
    cache: list[str] | None = None
    proofs: str | None = None
    thinking: str | None = None
    thinking_off: str | None = None
    efforts: list[str] | None = None
    image_bytes: int | None = None
    document_bytes: int | None = None
    embed: str | None = None


class _Traits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    source: str
    families: dict[str, _Family]


@cache
def published_prices() -> tuple[Mapping[str, Price], str]:
    """Return prices by pattern, and their version; the file is read at the first call.

    Every id of a model has them: bare, of an inference profile (``us.``), with its version.
    """
    file = msgspec.toml.decode(_read("prices.toml"), type=_Prices)
    prices: dict[str, Price] = {f"*{name}*": price for name, price in file.models.items()}
    for name, price in file.world.items():
        prices[f"global.{name}*"] = price
        prices[f"*{name}*"] = _regional(price)
    return prices, file.version


@cache
def published_traits() -> Mapping[str, Mapping[str, Any]]:
    """Return what is peculiar to families of models; the file is read at the first call."""
    file = msgspec.toml.decode(_read("traits.toml"), type=_Traits)
    return {name: msgspec.to_builtins(family) for name, family in file.families.items()}


def _regional(price: Price) -> Price:
    """Return what a model costs that stays in one region or part of the world."""
    raised = {
        name: format((Decimal(amount) * _REGIONAL).normalize(), "f")
        for name in _AMOUNTS
        if (amount := getattr(price, name)) is not None
    }
    return msgspec.structs.replace(price, **raised)


def _read(name: str) -> bytes:
    return files(__package__).joinpath(name).read_bytes()
