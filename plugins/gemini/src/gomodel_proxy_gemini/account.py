"""An account with the vendor: ai.google.dev/api (2026-11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

import msgspec

from gomodel_proxy.api import Model, Secret, UpstreamRequest
from gomodel_proxy.wire.settings import check_base_url, check_header

from .carriage import unload
from .embeddings import is_batch
from .failure import failure
from .request import full_name
from .shipping import GeminiShipping

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gomodel_proxy.api import Ask, Headers, Price, UpstreamError

__all__ = ["GeminiAccount"]

_OPERATIONS: Final = {
    "generateContent": "chat",
    "embedContent": "embeddings",
    "batchEmbedContents": "embeddings",
    "countTokens": "count_tokens",
}
_SHORTEST_SECRET: Final = 8


class _Listed(msgspec.Struct):
    models: list[dict[str, Any]]


class GeminiAccount:
    """One API key; a `Provider`. The model and whether to stream stand in the URL.

    ``batches``: whether it takes batches of its own.
    """

    speaks: Final[Mapping[str, Sequence[str]]] = {
        "chat": ("gemini.generate",),
        "embeddings": ("gemini.embed",),
        "count_tokens": ("gemini.count_tokens",),
    }
    stream_usage: Final = "always"

    def __init__(
        self,
        *,
        base_url: str,
        api_key: Secret,
        headers: Mapping[str, str],
        batches: bool = False,
        prices: Mapping[str, Price],
        price_version: str,
        traits: Mapping[str, Mapping[str, Any]],
    ) -> None:
        self.prices = prices
        self.price_version = price_version
        self.traits = traits
        sent: dict[str, str | Secret] = {"content-type": "application/json"}
        if api_key:
            sent["x-goog-api-key"] = api_key
        sent |= {name.lower(): value for name, value in headers.items()}
        # one tuple for every request: the transport keeps the head it renders from it
        self._headers: Headers = tuple(check_header(name, value) for name, value in sent.items())
        self._fixed = frozenset(sent)
        extra = [Secret(value) for value in headers.values() if len(value) >= _SHORTEST_SECRET]
        self.secrets = (*((api_key,) if api_key else ()), *extra)
        self._root = check_base_url(base_url)
        self.shipping = GeminiShipping(self._errand) if batches else None

    def request(self, ask: Ask) -> UpstreamRequest:
        """Return the request for a body in one of the dialects it speaks."""
        if ask.dialect == "gemini.embed":
            body = ask.body
            url = self._url(ask.model, "batchEmbedContents" if is_batch(body) else "embedContent")
        elif ask.dialect == "gemini.count_tokens":
            body = ask.body
            url = self._url(ask.model, "countTokens")
        else:
            body = unload(ask.body, ask.model)
            method = "streamGenerateContent?alt=sse" if ask.stream else "generateContent"
            url = self._url(ask.model, method)
        extra = tuple(pair for pair in ask.headers if pair[0] not in self._fixed)
        return UpstreamRequest(
            method="POST", url=url, headers=self._headers, extra=extra, body=body
        )

    def _errand(
        self,
        method: str,
        path: str,
        *,
        body: bytes = b"",
        extra: Headers = (),
        above: str = "",
        keyless: bool = False,
    ) -> UpstreamRequest:
        """Return the request for anything else; see `gomodel_proxy_gemini.shipping.Errands`."""
        whole = urlsplit(self._root)
        origin = f"{whole.scheme}://{whole.netloc}"
        if keyless:  # such a path is the vendor's own, from the root
            return UpstreamRequest(method=method, url=origin + path, extra=extra, body=body)
        url = f"{origin}{above}{whole.path}{quote(path, safe='/:@?=&%')}"
        return UpstreamRequest(
            method=method, url=url, headers=self._headers, extra=extra, body=body
        )

    def _url(self, model: str, method: str) -> str:
        return f"{self._root}/{quote(full_name(model), safe='/:@')}:{method}"

    def failure(self, status: int, headers: Headers, body: bytes) -> UpstreamError:
        """Return what an HTTP status of 400 or more means."""
        return failure(status, headers, body, self.secrets)

    def models_request(self) -> UpstreamRequest | None:
        """Return the request that lists models."""
        url = f"{self._root}/models?pageSize=1000"
        return UpstreamRequest(method="GET", url=url, headers=self._headers)

    def models_reply(self, body: bytes) -> Sequence[Model]:
        """Return the models of a listing; raises ValueError on one that makes no sense."""
        listed = msgspec.json.decode(body, type=_Listed).models
        found = (_model(entry) for entry in listed)
        models = {model.id: model for model in found if model is not None}
        if listed and not models:
            raise ValueError("no entry of the list of models has a `name`")
        return list(models.values())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._root})"


def _model(entry: dict[str, Any]) -> Model | None:
    """Return one entry as a model, None if it names none; what we do not know is metadata."""
    name = entry.get("name")
    if not isinstance(name, str) or not name:
        return None
    methods = entry.get("supportedGenerationMethods")
    known = [_OPERATIONS[one] for one in methods or () if one in _OPERATIONS]
    return Model(
        id=name.removeprefix("models/"),
        owned_by="google",
        operations=tuple(dict.fromkeys(known)),
        metadata={key: value for key, value in entry.items() if key != "name"},
    )
