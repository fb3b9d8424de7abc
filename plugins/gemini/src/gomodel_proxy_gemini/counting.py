"""``gemini.count_tokens``: ai.google.dev/api/tokens (2026-11).

A caller gives the contents alone or a whole request for a generation in ``generateContentRequest``,
which then names the model. Only the latter has instructions and tools in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec import Raw

from gomodel_proxy.wire import json
from gomodel_proxy.wire.counting import CountingCodec, estimate_input
from gomodel_proxy.wire.openai_reply import name_provider, read_reply, rejection

from .codec import GeminiCodec
from .dialect import GeminiDialect
from .request import check_address, check_contents, full_name, hint, references, served_at

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gomodel_proxy.api import Codec, Losses, Usage
    from gomodel_proxy.api.chat import ChatRequest

__all__ = ["GeminiCountTokens"]

_WHOLE: Final = "generateContentRequest"
_SPELT: Final = (_WHOLE, "generate_content_request")  # as all members, in either case
_COUNT: Final = "totalTokens"


def _named(members: Mapping[str, Raw], model: str) -> Raw:
    """Return a request for a generation that names its model, as one that is counted does."""
    kept = {key: raw for key, raw in members.items() if key not in ("model", "stream")}
    return Raw(json.encode({"model": full_name(model), **kept}))


def _spelling(members: Mapping[str, Raw]) -> str | None:
    """Return the name under which there is a whole request, None if there is none."""
    return next((name for name in _SPELT if members.get(name, json.NULL) != json.NULL), None)


def _whole(members: dict[str, Raw]) -> dict[str, Raw]:
    """Return the members of the request for a generation, which may be all there is."""
    name = _spelling(members)
    return members if name is None else json.members(bytes(members[name]))


class _Codec(CountingCodec):
    """Puts a whole request where it can have instructions and tools."""

    def __init__(self) -> None:
        super().__init__(GeminiCodec(), members=(), count=_COUNT)

    def read_request(self, body: bytes) -> ChatRequest:
        return self._chat.read_request(json.encode(_whole(json.members(body))))

    def write_request(
        self, request: ChatRequest, *, traits: Mapping[str, Any], losses: Losses
    ) -> bytes:
        written = self._chat.write_request(request, traits=traits, losses=losses)
        return json.encode({_WHOLE: _named(json.members(written), request.model)})


class CountRequest:
    """One request for a count; `Fields`."""

    __slots__ = ("_body", "_members", "model", "provider", "references")

    stream = False
    asked_usage = True

    def __init__(self, body: bytes, members: dict[str, Raw], model: str) -> None:
        self._body = body
        self._members = members
        self.model = model
        self.provider = hint(members)
        self.references = references(body, _whole(members))

    def readdress(self, model: str, *, ask_usage: bool) -> bytes:
        """Return the body for ``model``, which a request for a generation in it then names."""
        members = self._members
        whole = _spelling(members)
        if self.provider is None and "model" not in members and whole is None:
            return self._body
        out = {key: raw for key, raw in members.items() if key not in ("model", "provider")}
        if whole is not None:
            out[whole] = _named(_whole(out), model)
        return json.encode(out)


class GeminiCountTokens(GeminiDialect):
    """Contents in, their number of tokens out; a `Dialect`."""

    name = "gemini.count_tokens"
    operation = "count_tokens"
    codec: Codec = _Codec()
    paths = served_at("countTokens")

    def read(self, body: bytes, path: Mapping[str, str]) -> CountRequest:
        """Check and decode a request body; raises `InvalidRequest` naming the member."""
        members = json.fields(body)
        model = path.get("model", "").removeprefix("models/")
        if model:
            check_address(members, model)
        whole = _spelling(members)
        if whole is not None and json.kind(members[whole]) != "object":
            raise json.wrong_type(whole, "object", members[whole])
        check_contents(_whole(members))
        return CountRequest(body, members, model)

    def usage(self, body: bytes) -> Usage | None:
        """Return None: counting is free."""
        return None

    def reply(self, body: bytes, provider: str) -> tuple[bytes, Usage | None, Sequence[str]]:
        """Check a count and name its provider; raises `UpstreamError` if it is none."""
        reply = read_reply(body)
        if json.kind(reply.get(_COUNT, json.NULL)) != "number":
            raise rejection(body, reply, f"'{_COUNT}'")
        return name_provider(body, reply, provider), None, ()

    def estimate(self, body: bytes) -> bytes:
        """Return a count for a model whose provider has none, and say that it is estimated."""
        count = estimate_input(self.codec.read_request(body))
        return json.encode({_COUNT: count, "estimated": True})
