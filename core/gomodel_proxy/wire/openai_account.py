"""What every OpenAI-like account shares. Public: a third-party provider may be just this::

account = OpenAIAccount(base_url="https://api.acme.example/v1", api_key=config.api_key)
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

import msgspec

from gomodel_proxy.api import Model, Secret, UpstreamRequest

from .openai_failure import read_failure
from .settings import check_base_url, check_header, check_path

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gomodel_proxy.api import Ask, Headers, Price, Shipping, UpstreamError

    from .openai_shipping import Errands

__all__ = ["PATHS", "SPEAKS", "OpenAIAccount"]

SPEAKS: Final[Mapping[str, Sequence[str]]] = MappingProxyType(
    {
        "chat": ("openai.chat", "openai.responses"),
        "embeddings": ("openai.embeddings",),
        "completions": ("openai.completions",),
        "moderations": ("openai.moderations",),
        "compact": ("openai.compact",),
        "count_tokens": ("openai.input_tokens",),
    }
)
"""What OpenAI itself takes, by operation."""

PATHS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "openai.chat": "/chat/completions",
        "openai.responses": "/responses",
        "openai.embeddings": "/embeddings",
        "openai.completions": "/completions",
        "openai.moderations": "/moderations",
        "openai.compact": "/responses/compact",
        "openai.input_tokens": "/responses/input_tokens",
    }
)
"""Where each dialect is posted, below the base URL."""

_RESPONSES: Final = "/responses"
_JSON: Final = "application/json"
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
_SHORTEST_SECRET: Final = 8  # a shorter header value is a word that a reply may hold by chance


class OpenAIAccount:
    """An account that takes OpenAI's dialects; a `Provider`.

    ``auth`` is the header that carries the key and its form, with ``{key}`` in it; no key, no
    header. ``headers`` and ``query`` go with every request; a header given here replaces the
    caller's and ours of that name, and one given as a `Secret` is masked in what the vendor says.
    ``paths`` adds to `PATHS`; ``models_path`` is where models are listed, empty where they are
    not. ``shipping`` makes what hands over batches when that is first asked for, None where the
    vendor takes none. Raises `ConfigError` naming the setting.
    """

    __slots__ = (
        "_ending",
        "_fixed",
        "_headers",
        "_models",
        "_responses",
        "_root",
        "_shipping",
        "_ships",
        "_urls",
        "price_version",
        "prices",
        "secrets",
        "speaks",
        "stream_usage",
        "traits",
    )

    def __init__(
        self,
        *,
        base_url: str,
        api_key: Secret = Secret(""),  # noqa: B008 - immutable
        auth: tuple[str, str] = ("authorization", "Bearer {key}"),
        headers: Mapping[str, str | Secret] = _NOTHING,
        query: Mapping[str, str] = _NOTHING,
        speaks: Mapping[str, Sequence[str]] = SPEAKS,
        paths: Mapping[str, str] = _NOTHING,
        models_path: str = "/models",
        stream_usage: str = "ask",
        prices: Mapping[str, Price] = _NOTHING,
        price_version: str = "",
        traits: Mapping[str, Mapping[str, Any]] = _NOTHING,
        shipping: Callable[[Errands], Shipping] | None = None,
    ) -> None:
        self.speaks = speaks
        self.stream_usage = stream_usage
        self.prices = prices
        self.price_version = price_version
        self.traits = traits
        sent: dict[str, str | Secret] = {"content-type": _JSON}
        if api_key:
            name, form = auth
            sent[name.lower()] = Secret(form.replace("{key}", api_key.reveal()))
        sent |= {name.lower(): value for name, value in headers.items()}
        # one tuple for every request: the transport keeps the head it renders from it
        self._headers: Headers = tuple(check_header(name, value) for name, value in sent.items())
        self._fixed = frozenset(sent)
        self.secrets = (*((api_key,) if api_key else ()), *_credentials(headers))
        root = check_base_url(base_url)
        ending = f"?{urlencode(query, quote_via=quote)}" if query else ""
        known = {**PATHS, **paths}
        self._root, self._ending = root, ending
        keeps = any("openai.responses" in spoken for spoken in speaks.values())
        self._responses = known["openai.responses"] if keeps else ""
        self._urls = {
            dialect: root + check_path(f"paths.{dialect}", known.get(dialect, "")) + ending
            for dialects in speaks.values()
            for dialect in dialects
        }
        self._models = root + check_path("models_path", models_path) + ending if models_path else ""
        self._ships = shipping
        self._shipping: Shipping | None = None

    @property
    def shipping(self) -> Shipping | None:
        """What hands over batches, made when it is first asked for; None: the vendor takes none."""
        if self._shipping is None and self._ships is not None:
            self._shipping = self._ships(self.errand)
        return self._shipping

    def request(self, ask: Ask) -> UpstreamRequest:
        """Return the request for a body in one of the dialects it speaks."""
        return UpstreamRequest(
            method="POST",
            url=self._urls[ask.dialect],
            headers=self._headers,
            extra=self._unfixed(ask.headers),
            body=ask.body,
        )

    def _unfixed(self, extra: Headers) -> Headers:
        if extra and not self._fixed.isdisjoint([name for name, _ in extra]):
            return tuple(pair for pair in extra if pair[0] not in self._fixed)
        return extra

    def resource_request(
        self, method: str, path: str, *, body: bytes = b"", query: str = ""
    ) -> UpstreamRequest | None:
        """Return the request for a response or conversation that the vendor keeps.

        Responses are where they are posted; None where that is nowhere.
        """
        if not self._responses:
            return None
        if path.startswith(_RESPONSES):
            path = self._responses + path.removeprefix(_RESPONSES)
        return self.errand(method, path, body=body, query=query)

    def errand(
        self,
        method: str,
        path: str,
        *,
        body: bytes = b"",
        query: str = "",
        content_type: str = _JSON,
        extra: Headers = (),
    ) -> UpstreamRequest:
        """Return the request for anything else below the base URL."""
        whole = self._root + path + self._ending
        if query:
            whole += ("&" if self._ending else "?") + query
        headers, extra = self._headers, self._unfixed(extra)
        if content_type != _JSON:
            headers = tuple(pair for pair in headers if pair[0] != "content-type")
            extra = (("content-type", content_type), *extra)
        return UpstreamRequest(method=method, url=whole, headers=headers, extra=extra, body=body)

    def failure(self, status: int, headers: Headers, body: bytes) -> UpstreamError:
        """Return what an HTTP status of 400 or more means; see `read_failure`."""
        return read_failure(status, headers, body, self.secrets)

    def models_request(self) -> UpstreamRequest | None:
        """Return the request that lists models, None where the vendor has none."""
        if not self._models:
            return None
        return UpstreamRequest(method="GET", url=self._models, headers=self._headers)

    def models_reply(self, body: bytes) -> Sequence[Model]:
        """Return the models of ``{"data": [...]}`` or a bare list, the first of each id."""
        try:
            listed = msgspec.json.decode(body)
        except RecursionError as error:
            raise ValueError("the list of models is nested too deeply") from error
        if isinstance(listed, dict):
            listed = listed.get("data")
        if not isinstance(listed, list):
            raise ValueError("the list of models has no `data` list")
        models: dict[str, Model] = {}
        for model in map(_model, listed):
            if model is not None:
                models.setdefault(model.id, model)
        if listed and not models:
            raise ValueError("no entry of the list of models has an `id`")
        return list(models.values())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({next(iter(self._urls.values()), '')})"


def _model(entry: Any) -> Model | None:
    """Return one entry as a model, None if it names none; what we do not know is metadata."""
    if not isinstance(entry, dict) or not isinstance(entry.get("id"), str) or not entry["id"]:
        return None
    rest = {name: value for name, value in entry.items() if name not in ("id", "object")}
    known: dict[str, Any] = {}
    if isinstance(rest.get("created"), int | float) and not isinstance(rest["created"], bool):
        known["created"] = int(rest.pop("created"))
    if isinstance(rest.get("owned_by"), str):
        known["owned_by"] = rest.pop("owned_by")
    return Model(id=entry["id"], metadata=rest, **known)


def _credentials(headers: Mapping[str, str | Secret]) -> tuple[Secret, ...]:
    """Return what is to be masked of secret headers: each value, and it without its scheme."""
    found: list[str] = []
    for value in headers.values():
        if isinstance(value, Secret):
            text = value.reveal()
            found += [text, text.rpartition(" ")[2]]
    return tuple(Secret(text) for text in dict.fromkeys(found) if len(text) >= _SHORTEST_SECRET)
