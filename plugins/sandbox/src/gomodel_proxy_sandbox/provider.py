"""The provider: the sandbox as one account among others; it needs no key."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import msgspec

from gomodel_proxy.api import (
    ConfigError,
    InvalidRequest,
    Model,
    Price,
    ProviderConfig,
    UpstreamRequest,
)
from gomodel_proxy.wire.openai_failure import read_failure

from . import faults
from .models import MODELS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from gomodel_proxy.api import Ask, Headers, Runtime, Secret, UpstreamError

__all__ = ["SandboxConfig", "SandboxProvider", "open_provider"]

_ORIGIN: Final = "http://sandbox"  # a name for the transport; nobody looks it up
_PATHS: Final = {
    "openai.chat": "/v1/chat/completions",
    "openai.responses": "/v1/responses",
    "openai.completions": "/v1/completions",
    "openai.embeddings": "/v1/embeddings",
    "openai.moderations": "/v1/moderations",
}
_SPEAKS: Final = {
    "chat": ("openai.chat", "openai.responses"),
    "completions": ("openai.completions",),
    "embeddings": ("openai.embeddings",),
    "moderations": ("openai.moderations",),
}
# Fictional, so that there are costs to look at; round, so that they can be checked by hand.
_PRICES: Final = {
    "sandbox-echo*": Price(input="1", output="2"),
    "sandbox-text*": Price(input="2", output="4"),
    "sandbox-tools*": Price(input="2", output="4"),
    "sandbox-reasoning*": Price(input="2", output="8"),
    "sandbox-embedding*": Price(input="0.1"),
    "sandbox-moderation*": Price(input="0", output="0"),
}


class SandboxConfig(ProviderConfig):
    """``[providers.<name>]`` of type ``sandbox``. ``faults`` apply to every model."""

    transport: str = "sandbox"
    faults: str = ""


class SandboxProvider:
    """OpenAI's dialects, spoken to models that are part of the process."""

    speaks: Mapping[str, Sequence[str]] = _SPEAKS
    secrets: Sequence[Secret] = ()
    stream_usage = "ask"
    prices: Mapping[str, Price] = _PRICES
    price_version = "sandbox"
    traits: Mapping[str, Mapping[str, Any]] = {}

    def __init__(self, config: SandboxConfig) -> None:
        own = {"content-type": "application/json"}
        if config.faults:
            own[faults.HEADER] = config.faults
        self._headers: Headers = tuple({**own, **config.headers}.items())

    def request(self, ask: Ask) -> UpstreamRequest:
        """Return the request for a body in one of OpenAI's dialects."""
        url = _ORIGIN + _PATHS[ask.dialect]
        return UpstreamRequest(
            method="POST", url=url, headers=self._headers, extra=ask.headers, body=ask.body
        )

    def failure(self, status: int, headers: Headers, body: bytes) -> UpstreamError:
        """Return what an error reply means."""
        return read_failure(status, headers, body)

    def models_request(self) -> UpstreamRequest | None:
        """Return the request that lists models."""
        return UpstreamRequest(method="GET", url=f"{_ORIGIN}/v1/models", headers=self._headers)

    def models_reply(self, body: bytes) -> Sequence[Model]:
        """Return the models of a listing; raises ValueError on one that makes no sense."""
        listed = msgspec.json.decode(body, type=_Listing)
        return [
            *(
                msgspec.structs.replace(model, operations=MODELS.get(model.id, ()))
                for model in listed.data
            ),
            Model(id="sandbox-*+*"),  # any of them with faults
        ]


class _Listing(msgspec.Struct):
    data: list[Model]


@asynccontextmanager
async def open_provider(config: SandboxConfig, runtime: Runtime) -> AsyncIterator[SandboxProvider]:
    """Open the provider; raises `ConfigError` on faults nobody knows."""
    try:
        faults.parse(config.faults)
    except InvalidRequest as problem:
        raise ConfigError(f"providers.{runtime.name}.faults: {problem.message}") from None
    yield SandboxProvider(config)
