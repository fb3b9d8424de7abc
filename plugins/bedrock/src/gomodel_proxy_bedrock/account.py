"""One account of Bedrock: where requests go, and what proves whose they are."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from gomodel_proxy.api import Secret, UpstreamRequest

from .data import published_prices, published_traits
from .dialect import EMBED
from .failures import refusal
from .listing import read_listing
from .proofs import DIALECT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gomodel_proxy.api import Ask, Headers, Model, UpstreamError

    from .signing import Signer

__all__ = ["BedrockAccount"]

_SPEAKS: Final[Mapping[str, Sequence[str]]] = MappingProxyType(
    {"chat": (DIALECT,), "embeddings": (EMBED,)}
)


class BedrockAccount:
    """An account in one region; a `Provider`. ``signer`` None means that ``headers`` prove all.

    ``listing`` is the URL that lists models, empty where nothing does; ``models`` are the
    configured ones, which a listing may lack.
    """

    stream_usage = "always"
    speaks = _SPEAKS

    def __init__(
        self,
        *,
        base_url: str,
        signer: Signer | None,
        headers: Headers,
        secrets: Sequence[Secret] = (),
        listing: str = "",
        models: Sequence[str] = (),
    ) -> None:
        self.secrets = tuple(secrets)
        self.prices, self.price_version = published_prices()
        self.traits: Mapping[str, Mapping[str, Any]] = published_traits()
        self._root = base_url
        self._signer = signer
        # one tuple for every request: the transport keeps the head it renders from it
        self._headers = headers
        self._fixed = frozenset(name for name, _ in headers)
        self._listing = listing
        self._models = tuple(models)

    def request(self, ask: Ask) -> UpstreamRequest:
        """Return the request for a body, signed as of now."""
        action = "invoke" if ask.dialect == EMBED else "converse"
        if ask.stream:
            action = "converse-stream"
        url = f"{self._root}/model/{quote(ask.model, safe='')}/{action}"
        sent = tuple(pair for pair in ask.headers if pair[0] not in self._fixed)
        return self._proven("POST", url, sent, ask.body)

    def failure(self, status: int, headers: Headers, body: bytes) -> UpstreamError:
        """Return what an HTTP status of 400 or more means."""
        return refusal(status, headers, body, self.secrets)

    def models_request(self) -> UpstreamRequest | None:
        """Return the request that lists models, None where the configuration is all there is."""
        return self._proven("GET", self._listing, (), b"") if self._listing else None

    def models_reply(self, body: bytes) -> Sequence[Model]:
        """Return the models of a listing; raises ValueError on one that makes no sense."""
        return read_listing(body, self._models)

    def _proven(self, method: str, url: str, sent: Headers, body: bytes) -> UpstreamRequest:
        proof: Headers = ()
        if self._signer is not None:
            # callers' headers are left unsigned: those of a proxy in between may change
            proof = self._signer.sign(method, url, self._headers, body)
        return UpstreamRequest(
            method=method, url=url, headers=self._headers, extra=(*sent, *proof), body=body
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._root})"
