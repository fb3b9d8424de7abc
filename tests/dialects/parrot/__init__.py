"""A third party's plugin, as small as one can be: a vendor of its own, in a dialect of its own.

``POST /parrot/talk`` takes ``{"model", "said": [{"by", "words"}], "most", "stream"}`` and answers
``{"words", "why", "heard", "spoken"}``, or a stream of events that each add ``words``.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from gomodel_proxy.api import Dialect, Kind, Provider, ProviderConfig, Secret
from gomodel_proxy.hookspecs import hookimpl
from gomodel_proxy.wire.openai_account import OpenAIAccount

from .dialect import Talk

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gomodel_proxy.api import Runtime

GOMODEL_API: Final = 1


class ParrotConfig(ProviderConfig):
    """Settings of ``type = "parrot"``."""

    api_key: Secret = Secret("")
    base_url: str = "https://api.parrot.example"


@asynccontextmanager
async def open_parrot(config: ParrotConfig, runtime: Runtime) -> AsyncIterator[Provider]:
    """Open one account."""
    yield OpenAIAccount(
        base_url=config.base_url,
        api_key=config.api_key,
        speaks={"chat": (Talk.name,)},
        paths={Talk.name: "/talk"},
        stream_usage="always",
    )


@hookimpl
def gomodel_providers() -> list[Kind[Provider]]:
    """Offer the vendor."""
    return [Kind("parrot", ParrotConfig, open_parrot)]


@hookimpl
def gomodel_dialects() -> list[Dialect]:
    """Offer its dialect, to callers as well."""
    return [Talk()]
