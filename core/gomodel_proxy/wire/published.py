"""What a plugin's ``prices.toml`` and ``traits.toml`` say of its vendor's models.

Both name their ``source``; prices have the ``version`` that is kept with every cost they made::

    version = "2026-11-22"
    source = "https://acme.example/pricing"

    [models]
    "acme-1" = { input = "0.15", output = "0.60" }
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from gomodel_proxy.api import Price

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["decode_prices", "decode_traits"]


class _Line(Price, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A price as the file writes it: a member that is misspelt is an error."""


class _Prices(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: str
    source: str
    models: dict[str, _Line]


class _Traits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    source: str
    models: dict[str, dict[str, Any]]


def decode_prices(file: bytes) -> tuple[Mapping[str, Price], str]:
    """Return prices by id or pattern, and their version."""
    read = msgspec.toml.decode(file, type=_Prices)
    return dict(read.models), read.version


def decode_traits(file: bytes) -> Mapping[str, Mapping[str, Any]]:
    """Return what is peculiar to families of models, by pattern, in the order of the file."""
    return msgspec.toml.decode(file, type=_Traits).models
