"""Any OpenAI-compatible API for gomodel-proxy."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from gomodel_proxy.api import Kind, Provider, Secret
from gomodel_proxy.hookspecs import hookimpl
from gomodel_proxy.wire.later import later
from gomodel_proxy.wire.openai_account import OpenAIAccount

from .config import OpenAICompatibleConfig, check_paths, operations

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gomodel_proxy.api import Runtime

    from . import batches
else:
    (batches,) = later(__name__, "batches")

__all__ = [
    "GOMODEL_API",
    "OpenAICompatibleConfig",
    "gomodel_providers",
    "open_openai_compatible",
]

GOMODEL_API: Final = 1


@asynccontextmanager
async def open_openai_compatible(
    config: OpenAICompatibleConfig, runtime: Runtime
) -> AsyncIterator[Provider]:
    """Open one account; raises `ConfigError` naming a setting that cannot be."""
    yield OpenAIAccount(
        base_url=config.base_url,
        api_key=config.api_key,
        auth=(config.auth_header, f"{config.auth_scheme} {{key}}".lstrip()),
        # any of them may carry a credential, so none is shown
        headers={name: Secret(value) for name, value in config.headers.items()},
        query=config.query,
        speaks=operations(config.speaks),
        paths=check_paths(config.paths),
        models_path=config.models_path,
        stream_usage=config.stream_usage,
        shipping=(lambda ask: batches.KINDS[config.batches](ask)) if config.batches else None,
    )


@hookimpl
def gomodel_providers() -> list[Kind[Provider]]:
    """Offer any OpenAI-compatible API."""
    return [Kind("openai_compatible", OpenAICompatibleConfig, open_openai_compatible)]
