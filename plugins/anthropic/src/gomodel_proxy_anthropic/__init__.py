"""Anthropic for gomodel-proxy: its models, and the Messages API for callers of any model."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from gomodel_proxy.api import Dialect, Kind, Provider, ProviderConfig, Secret
from gomodel_proxy.hookspecs import hookimpl
from gomodel_proxy.wire.shipping import Ships, ships

from .account import AnthropicAccount
from .data import published_prices, published_traits
from .dialect import CountTokens, Messages

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gomodel_proxy.api import Runtime

__all__ = [
    "GOMODEL_API",
    "AnthropicConfig",
    "gomodel_dialects",
    "gomodel_providers",
    "open_anthropic",
]

GOMODEL_API: Final = 1


class AnthropicConfig(ProviderConfig):
    """Settings of ``type = "anthropic"``.

    ``version`` is the API's, for callers who name none; ``beta`` lists features that every request
    turns on. ``batches`` says whether lines of batches go to the vendor's own batches; with
    "auto" they do at Anthropic's own hosts.
    """

    api_key: Secret = Secret("")
    base_url: str = "https://api.anthropic.com/v1"
    version: str = "2026-10-21"
    beta: tuple[str, ...] = ()
    batches: Ships = "auto"


@asynccontextmanager
async def open_anthropic(config: AnthropicConfig, runtime: Runtime) -> AsyncIterator[Provider]:
    """Open one account; raises `ConfigError` naming a setting that cannot be."""
    prices, price_version = published_prices()
    yield AnthropicAccount(
        base_url=config.base_url,
        api_key=config.api_key,
        version=config.version,
        beta=config.beta,
        batches=ships(config.batches, config.base_url, "anthropic.com"),
        headers=config.headers,
        prices=prices,
        price_version=price_version,
        traits=published_traits(config.version),
    )


@hookimpl
def gomodel_providers() -> list[Kind[Provider]]:
    """Offer Anthropic."""
    return [Kind("anthropic", AnthropicConfig, open_anthropic)]


@hookimpl
def gomodel_dialects() -> list[Dialect]:
    """Offer the Messages API and its counting of tokens."""
    return [Messages(), CountTokens()]
