"""Google's Gemini API for gomodel-proxy: the vendor's native dialects, for callers and upstream."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from gomodel_proxy.api import Dialect, Kind, Provider, ProviderConfig, Secret
from gomodel_proxy.hookspecs import hookimpl
from gomodel_proxy.wire.published import read_prices, read_traits
from gomodel_proxy.wire.shipping import Ships, ships

from .account import GeminiAccount
from .counting import GeminiCountTokens
from .embedding_translator import EmbeddingTranslator
from .embeddings import GeminiEmbed
from .generate import GeminiGenerate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gomodel_proxy.api import Runtime, Translator

__all__ = [
    "GOMODEL_API",
    "GeminiConfig",
    "gomodel_dialects",
    "gomodel_providers",
    "gomodel_translator",
    "open_gemini",
]

GOMODEL_API: Final = 1


class GeminiConfig(ProviderConfig):
    """Settings of ``type = "gemini"``.

    ``batches`` says whether lines of batches go to the vendor's own batches; with "auto"
    they do at Google's own hosts.
    """

    api_key: Secret = Secret("")
    base_url: str = "https://generativelanguage.googleapis.com/v1beta"
    batches: Ships = "auto"


@asynccontextmanager
async def open_gemini(config: GeminiConfig, runtime: Runtime) -> AsyncIterator[Provider]:
    """Open one account; raises `ConfigError` naming a setting that cannot be."""
    prices, version = read_prices(__name__)
    yield GeminiAccount(
        base_url=config.base_url,
        api_key=config.api_key,
        headers=config.headers,
        batches=ships(config.batches, config.base_url, "googleapis.com"),
        prices=prices,
        price_version=version,
        traits=read_traits(__name__),
    )


@hookimpl
def gomodel_providers() -> list[Kind[Provider]]:
    """Offer the Gemini API."""
    return [Kind("gemini", GeminiConfig, open_gemini)]


@hookimpl
def gomodel_dialects() -> list[Dialect]:
    """Offer the vendor's dialects, with routes of their own."""
    return [GeminiGenerate(), GeminiEmbed(), GeminiCountTokens()]


@hookimpl
def gomodel_translator(source: str, target: str) -> Translator | None:
    """Return the way from OpenAI's embeddings to the vendor's."""
    if (source, target) == ("openai.embeddings", "gemini.embed"):
        return EmbeddingTranslator()
    return None
