"""Amazon Bedrock for gomodel-proxy."""

from __future__ import annotations

import os
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Final

from gomodel_proxy.api import ConfigError, Dialect, Kind, Provider, ProviderConfig, Secret
from gomodel_proxy.hookspecs import hookimpl
from gomodel_proxy.wire.settings import check_base_url, check_header

from .account import BedrockAccount
from .dialect import EMBED, Converse, Embed
from .embeddings import EmbeddingsTranslator
from .listing import PATHS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from gomodel_proxy.api import Runtime, Translator

    from .signing import Signer

__all__ = [
    "GOMODEL_API",
    "BedrockConfig",
    "gomodel_dialects",
    "gomodel_providers",
    "gomodel_translator",
    "open_bedrock",
]

GOMODEL_API: Final = 1
_REGION: Final = "us-east-1"


class BedrockConfig(ProviderConfig):
    """Settings of ``type = "bedrock"``.

    One of three proves who pays: ``api_key`` (a Bedrock API key), ``access_key_id`` with its
    secret, or ``aws_credentials = true``, which looks where AWS's own tools look. ``region`` is
    that of AWS_REGION by default. ``list_models`` names what the control plane is asked for:
    "foundation-models", "inference-profiles", or nothing.
    """

    region: str = ""
    api_key: Secret = Secret("")
    access_key_id: Secret = Secret("")
    secret_access_key: Secret = Secret("")
    session_token: Secret = Secret("")
    aws_credentials: bool = False
    profile: str = ""
    base_url: str = ""
    list_models: str = ""

    @property
    def keyless(self) -> bool:
        """Whether there is a proof other than ``api_key``."""
        return bool(self.access_key_id) or self.aws_credentials


@asynccontextmanager
async def open_bedrock(config: BedrockConfig, runtime: Runtime) -> AsyncIterator[Provider]:
    """Open one account; raises `ConfigError` naming a setting that cannot be."""
    from . import meter  # noqa: F401 - now, not when the first stream waits for it

    region = config.region or os.environ.get("AWS_REGION") or _REGION
    url = config.base_url or f"https://bedrock-runtime.{region}.amazonaws.com"
    async with AsyncExitStack() as stack:
        yield BedrockAccount(
            base_url=check_base_url(url),
            signer=await _signer(config, region, runtime, stack),
            headers=tuple(_headers(config)),
            secrets=[secret for secret in _secrets(config) if secret],
            listing=_listing(config, region),
            models=config.models,
        )


async def _signer(
    config: BedrockConfig, region: str, runtime: Runtime, stack: AsyncExitStack
) -> Signer | None:
    if config.api_key:
        return None
    from .signing import Key, Signer  # botocore is slow to import

    if config.access_key_id:
        if not config.secret_access_key:
            raise ConfigError("secret_access_key: is empty", param="secret_access_key")
        key = Key(
            config.access_key_id.reveal(),
            config.secret_access_key.reveal(),
            config.session_token.reveal() or None,
        )
        return Signer(region, lambda: key)
    from .credentials import found

    return Signer(region, await stack.enter_async_context(found(config.profile, runtime.log)))


def _headers(config: BedrockConfig) -> Iterator[tuple[str, str]]:
    yield "content-type", "application/json"
    if config.api_key:
        yield check_header("authorization", Secret(f"Bearer {config.api_key.reveal()}"))
    for name, value in config.headers.items():
        yield check_header(name.lower(), value)


def _secrets(config: BedrockConfig) -> Iterator[Secret]:
    yield config.api_key
    yield config.access_key_id
    yield config.secret_access_key
    yield config.session_token


def _listing(config: BedrockConfig, region: str) -> str:
    if not config.list_models:
        return ""
    if config.list_models not in PATHS:
        raise ConfigError(
            f"list_models: must be one of {', '.join(PATHS)}, or empty", param="list_models"
        )
    return f"https://bedrock.{region}.amazonaws.com{PATHS[config.list_models]}"


@hookimpl
def gomodel_providers() -> list[Kind[Provider]]:
    """Offer Bedrock."""
    return [Kind("bedrock", BedrockConfig, open_bedrock)]


@hookimpl
def gomodel_dialects() -> list[Dialect]:
    """Offer what Bedrock is spoken to in."""
    return [Converse(), Embed()]


@hookimpl
def gomodel_translator(source: str, target: str) -> Translator | None:
    """Offer the way from OpenAI's embeddings to those of Bedrock's models."""
    if source == "openai.embeddings" and target == EMBED:
        return EmbeddingsTranslator()
    return None
