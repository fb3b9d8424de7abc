"""OpenAI for gomodel-proxy."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from gomodel_proxy.api import Kind, Provider, ProviderConfig, Secret
from gomodel_proxy.hookspecs import hookimpl
from gomodel_proxy.wire.later import later
from gomodel_proxy.wire.openai_account import OpenAIAccount
from gomodel_proxy.wire.published import read_prices, read_traits
from gomodel_proxy.wire.shipping import Ships, ships

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gomodel_proxy.api import Runtime, Shipping
    from gomodel_proxy.wire import openai_shipping
    from gomodel_proxy.wire.openai_shipping import Errands
else:
    (openai_shipping,) = later("gomodel_proxy.wire", "openai_shipping")

__all__ = ["GOMODEL_API", "SNAPSHOT", "OpenAIConfig", "gomodel_providers", "open_openai"]

GOMODEL_API: Final = 1
SNAPSHOT: Final = "-2[0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"
"""The pattern of what a snapshot's date adds to the id of its model."""


class OpenAIConfig(ProviderConfig):
    """Settings of ``type = "openai"``.

    ``organization`` and ``project`` say who pays; a caller's own headers for them are then dropped.
    ``batches`` says whether lines of batches go to the vendor's own batches; with "auto"
    they do at OpenAI's own hosts.
    """

    api_key: Secret = Secret("")
    base_url: str = "https://api.openai.com/v1"
    organization: str = ""
    project: str = ""
    batches: Ships = "auto"


@asynccontextmanager
async def open_openai(config: OpenAIConfig, runtime: Runtime) -> AsyncIterator[Provider]:
    """Open one account; raises `ConfigError` naming a setting that cannot be."""
    prices, version = read_prices(__name__, snapshot=SNAPSHOT)
    payer = {"openai-organization": config.organization, "openai-project": config.project}
    yield OpenAIAccount(
        base_url=config.base_url,
        api_key=config.api_key,
        headers={name: value for name, value in payer.items() if value}
        | {name: Secret(value) for name, value in config.headers.items()},
        stream_usage="ask",
        prices=prices,
        price_version=version,
        traits=read_traits(__name__),
        shipping=_shipping if ships(config.batches, config.base_url, "openai.com") else None,
    )


def _shipping(errands: Errands) -> Shipping:
    return openai_shipping.OpenAIShipping(errands)


@hookimpl
def gomodel_providers() -> list[Kind[Provider]]:
    """Offer OpenAI."""
    return [Kind("openai", OpenAIConfig, open_openai)]
