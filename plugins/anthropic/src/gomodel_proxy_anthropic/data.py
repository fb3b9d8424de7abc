"""What Anthropic publishes of its models: ``prices.toml`` and ``traits.toml`` beside this file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gomodel_proxy.wire.published import read_prices, read_traits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gomodel_proxy.api import Price

__all__ = ["published_prices", "published_traits"]

_SNAPSHOT: Final = "-2[0-9][0-9][0-9][0-9][0-9][0-9][0-9]"
_WITHOUT_SAMPLING: Final = "2026-10-21"
"""The version of the API that took ``temperature``, ``top_p`` and ``top_k`` away."""


def published_prices() -> tuple[Mapping[str, Price], str]:
    """Return prices by id and pattern, and their version."""
    return read_prices(__package__, snapshot=_SNAPSHOT)


def published_traits(version: str) -> Mapping[str, Mapping[str, Any]]:
    """Return what is peculiar to families of models under a version of the API."""
    gone = {"sampling"} if version >= _WITHOUT_SAMPLING else set()
    return {
        pattern: {name: value for name, value in family.items() if name not in gone}
        for pattern, family in read_traits(__package__).items()
    }
