"""What is published about the models: prices and traits, from the files beside this one."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import msgspec

from gomodel_proxy.api import Price

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["prices", "traits"]


class _Line(Price, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A price as the file writes it: a member that is misspelt is an error."""


class _Prices(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: str
    source: str
    models: dict[str, _Line]


class _Traits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    source: str
    models: dict[str, dict[str, Any]]


@cache
def prices() -> tuple[Mapping[str, Price], str]:
    """Return prices by id and pattern, and their version; the file is read at the first call."""
    file = msgspec.toml.decode(_read("prices.toml"), type=_Prices)
    return dict(file.models), file.version


@cache
def traits() -> Mapping[str, Mapping[str, Any]]:
    """Return what is peculiar to families of models, by pattern; later ones go before."""
    return msgspec.toml.decode(_read("traits.toml"), type=_Traits).models


def _read(name: str) -> bytes:
    return files(__package__).joinpath(name).read_bytes()
