"""Cohere for gomodel-proxy: chat and embeddings in its own API."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from gomodel_proxy.api import Dialect, Kind, Provider, ProviderConfig, Secret
from gomodel_proxy.hookspecs import hookimpl
from gomodel_proxy.wire.published import read_prices, read_traits

from .account import CohereAccount
from .dialect import EMBED, Chat, Embed
from .embeddings import EmbeddingsTranslator

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gomodel_proxy.api import Runtime, Translator

__all__ = [
    "GOMODEL_API",
    "CohereConfig",
    "gomodel_dialects",
    "gomodel_providers",
    "gomodel_translator",
    "open_cohere",
]

GOMODEL_API: Final = 1


class CohereConfig(ProviderConfig):
    """Settings of ``type = "cohere"``."""

    api_key: Secret = Secret("")
    base_url: str = "https://api.cohere.com/v2"


@asynccontextmanager
async def open_cohere(config: CohereConfig, runtime: Runtime) -> AsyncIterator[Provider]:
    """Open one account; raises `ConfigError` naming a setting that cannot be."""
    prices, version = read_prices(__name__)
    yield CohereAccount(
        base_url=config.base_url,
        api_key=config.api_key,
        headers=config.headers,
        prices=prices,
        price_version=version,
        traits=read_traits(__name__),
    )


@hookimpl
def gomodel_providers() -> list[Kind[Provider]]:
    """Offer Cohere."""
    return [Kind("cohere", CohereConfig, open_cohere)]


@hookimpl
def gomodel_dialects() -> list[Dialect]:
    """Offer what Cohere is spoken to in."""
    return [Chat(), Embed()]


@hookimpl
def gomodel_translator(source: str, target: str) -> Translator | None:
    """Return the way from OpenAI's embeddings to Cohere's."""
    if (source, target) == ("openai.embeddings", EMBED):
        return EmbeddingsTranslator()
    return None
