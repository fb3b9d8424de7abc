"""What is published about the models: prices and traits, from the files beside this one."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from gomodel_proxy.wire.published import decode_prices, decode_traits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gomodel_proxy.api import Price

__all__ = ["prices", "traits"]


@cache
def prices() -> tuple[Mapping[str, Price], str]:
    """Return prices by id and pattern, and their version; the file is read at the first call."""
    return decode_prices(_read("prices.toml"))


@cache
def traits() -> Mapping[str, Mapping[str, Any]]:
    """Return what is peculiar to families of models, by pattern; later ones go before."""
    return decode_traits(_read("traits.toml"))


def _read(name: str) -> bytes:
    return files(__package__).joinpath(name).read_bytes()
