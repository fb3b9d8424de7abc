"""One account at Anthropic, or at a server that speaks as Anthropic does."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from gomodel_proxy.api import Model, Secret, UpstreamRequest
from gomodel_proxy.wire import json
from gomodel_proxy.wire.later import later
from gomodel_proxy.wire.settings import check_base_url, check_header

from .errors import refusal
from .names import COUNT, DIALECT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gomodel_proxy.api import Ask, Headers, Price, Shipping, UpstreamError

    from . import shipping as shipments
else:
    (shipments,) = later(__package__, "shipping")

__all__ = ["AnthropicAccount"]

_VERSION: Final = "anthropic-version"
_BETA: Final = "anthropic-beta"
_PATHS: Final = {DIALECT: "/messages", COUNT: "/messages/count_tokens"}
_MODELS: Final = "/models?limit=1000"


class AnthropicAccount:
    """A `Provider`. Callers' ``anthropic-version`` goes before ours, ``anthropic-beta`` adds to it.

    ``batches``: whether it takes batches of its own.
    Raises `ConfigError` naming the setting that cannot be.
    """

    speaks: Final[Mapping[str, Sequence[str]]] = MappingProxyType(
        {"chat": (DIALECT,), "count_tokens": (COUNT,)}
    )
    stream_usage: Final = "always"

    def __init__(
        self,
        *,
        base_url: str,
        api_key: Secret,
        version: str,
        beta: Sequence[str] = (),
        batches: bool = False,
        headers: Mapping[str, str] = MappingProxyType({}),
        prices: Mapping[str, Price],
        price_version: str,
        traits: Mapping[str, Mapping[str, Any]],
    ) -> None:
        self.prices = prices
        self.price_version = price_version
        self.traits = traits
        self._ships = batches
        self.secrets = (api_key, *(Secret(value) for value in headers.values()))
        self._root = root = check_base_url(base_url)
        self._urls = {dialect: root + path for dialect, path in _PATHS.items()}
        self._models = root + _MODELS
        self._beta = tuple(beta)
        sent: dict[str, str | Secret] = {
            "content-type": "application/json",
            "x-api-key": api_key,
            _VERSION: version,
        }
        if beta:
            sent[_BETA] = ",".join(beta)
        sent |= {name.lower(): value for name, value in headers.items()}
        whole = tuple(check_header(name, value) for name, value in sent.items())
        self._configured = frozenset(name.lower() for name in headers) | {"x-api-key"}
        # one tuple per shape of request: the transport keeps the head it renders from it
        self._headers = {
            taken: tuple(pair for pair in whole if pair[0] not in taken)
            for taken in (
                frozenset[str](),
                frozenset({_VERSION}),
                frozenset({_BETA}),
                frozenset({_VERSION, _BETA}),
            )
        }

    @cached_property
    def shipping(self) -> Shipping | None:
        """What hands over batches, None where the vendor takes none."""
        return shipments.AnthropicShipping(self._errand) if self._ships else None

    def request(self, ask: Ask) -> UpstreamRequest:
        """Return the request for a body in one of the dialects it speaks."""
        return self._sent("POST", self._urls[ask.dialect], ask.headers, ask.body)

    def _sent(self, method: str, url: str, headers: Headers, body: bytes) -> UpstreamRequest:
        extra = tuple(
            (name, self._with_beta(value) if name == _BETA else value)
            for name, value in headers
            if name not in self._configured
        )
        taken = frozenset(name for name, _ in extra if name in (_VERSION, _BETA))
        return UpstreamRequest(
            method=method, url=url, headers=self._headers[taken], extra=extra, body=body
        )

    def _errand(
        self, method: str, path: str, *, body: bytes = b"", extra: Headers = ()
    ) -> UpstreamRequest:
        """Return the request for anything else below the base URL."""
        return self._sent(method, self._root + path, extra, body)

    def _with_beta(self, asked: str) -> str:
        """Return the caller's betas and the configured ones, each once."""
        names = [*self._beta, *(name.strip() for name in asked.split(","))]
        return ",".join(dict.fromkeys(name for name in names if name))

    def failure(self, status: int, headers: Headers, body: bytes) -> UpstreamError:
        """Return what an HTTP status of 400 or more means."""
        return refusal(status, headers, body, self.secrets)

    def models_request(self) -> UpstreamRequest | None:
        """Return the request that lists models, all of them on one page."""
        return UpstreamRequest(method="GET", url=self._models, headers=self._headers[frozenset()])

    def models_reply(self, body: bytes) -> Sequence[Model]:
        """Return the models of a listing; what else it says of them is metadata."""
        listed = json.loads(body)
        entries = listed.get("data") if isinstance(listed, dict) else None
        if not isinstance(entries, list):
            raise ValueError("the list of models has no `data` list")
        return [_model(entry) for entry in entries if isinstance(entry, dict) and entry.get("id")]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._urls[DIALECT]})"


def _model(entry: dict[str, Any]) -> Model:
    rest = {name: value for name, value in entry.items() if name not in ("id", "type")}
    return Model(
        id=str(entry["id"]),
        created=_seconds(rest.pop("created_at", None)),
        owned_by="anthropic",
        operations=("chat", "count_tokens"),
        metadata=rest,
    )


def _seconds(created: Any) -> int:
    """Return an RFC 3339 time in seconds since the epoch, 0 if it is none."""
    try:
        return int(datetime.fromisoformat(str(created)).timestamp())
    except ValueError:
        return 0
