"""One account at Cohere, or at a server that speaks as Cohere does."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from gomodel_proxy.api import Model, Secret, UpstreamRequest
from gomodel_proxy.wire import json
from gomodel_proxy.wire.openai_account import OpenAIAccount
from gomodel_proxy.wire.settings import check_base_url

from .citations import DIALECT
from .dialect import EMBED
from .failures import refusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gomodel_proxy.api import Headers, Price, UpstreamError

__all__ = ["CohereAccount"]

_SPEAKS: Final[Mapping[str, Sequence[str]]] = MappingProxyType(
    {"chat": (DIALECT,), "embeddings": (EMBED,)}
)
_OPERATIONS: Final = {"chat": "chat", "embed": "embeddings"}
"""The endpoints that models say they serve, as operations."""


class CohereAccount(OpenAIAccount):
    """A `Provider`: the second version of the API, whose models are listed by the first."""

    def __init__(
        self,
        *,
        base_url: str,
        api_key: Secret,
        headers: Mapping[str, str],
        prices: Mapping[str, Price],
        price_version: str,
        traits: Mapping[str, Mapping[str, Any]],
    ) -> None:
        """Check the settings; raises `ConfigError` naming the one that cannot be."""
        super().__init__(
            base_url=base_url,
            api_key=api_key,
            headers={name: Secret(value) for name, value in headers.items()},
            speaks=_SPEAKS,
            paths={DIALECT: "/chat", EMBED: "/embed"},
            stream_usage="always",
            prices=prices,
            price_version=price_version,
            traits=traits,
        )
        root = check_base_url(base_url).removesuffix("/v2")
        self._listing = UpstreamRequest(
            method="GET", url=f"{root}/v1/models?page_size=1000", headers=self._headers
        )

    def failure(self, status: int, headers: Headers, body: bytes) -> UpstreamError:
        """Return what an HTTP status of 400 or more means."""
        return refusal(status, headers, body, self.secrets)

    def models_request(self) -> UpstreamRequest:
        """Return the request that lists models: docs.cohere.com/reference/list-models (2026-11)."""
        return self._listing

    def models_reply(self, body: bytes) -> Sequence[Model]:
        """Return the models that chat or embed; what else the listing says of them is metadata."""
        listed = json.loads(body)
        entries = listed.get("models") if isinstance(listed, dict) else None
        if not isinstance(entries, list):
            raise ValueError("the list of models has no `models` list")
        found = (_model(entry) for entry in entries if isinstance(entry, dict))
        return [model for model in found if model is not None]


def _model(entry: dict[str, Any]) -> Model | None:
    name, endpoints = entry.get("name"), entry.get("endpoints")
    known = endpoints if isinstance(endpoints, list) else list(_OPERATIONS)
    operations = tuple(_OPERATIONS[one] for one in _OPERATIONS if one in known)
    if not isinstance(name, str) or not operations:
        return None
    rest = {key: value for key, value in entry.items() if key not in ("name", "endpoints")}
    return Model(id=name, owned_by="cohere", operations=operations, metadata=rest)
