"""Counting tokens: what the dialects of ``count_tokens`` share.

A request to be counted is the chat request itself, without what is said about its output; so a
chat dialect's codec reads and writes it, and any two dialects that count can be joined.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gomodel_proxy.api import Usage

from . import json
from .later import later

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from gomodel_proxy.api import Codec, Losses, chat
    from gomodel_proxy.api.chat import ChatReply, ChatRequest, Media, Part
else:
    (chat,) = later("gomodel_proxy.api", "chat")

__all__ = ["CountingCodec", "estimate_input"]

_BYTES_PER_TOKEN: Final = 4
_PER_MESSAGE: Final = 4
_PER_MEDIUM: Final = 1600
_BYTES_PER_DOCUMENT_TOKEN: Final = 40  # of base64: a page of a PDF is some 75 KB and 2,000 tokens


class CountingCodec:
    """Between a dialect of ``count_tokens`` and the neutral model; an `api.Codec`.

    ``chat`` is the codec of its chat dialect, ``members`` are those of a chat request that are
    counted, ``count`` is where a reply has the number, and ``frame`` what else it has. A count is
    a `ChatReply` without choices, whose usage has the input.
    """

    def __init__(
        self,
        chat: Codec,
        *,
        members: Collection[str],
        count: str,
        frame: Mapping[str, Any] | None = None,
    ) -> None:
        self._chat = chat
        self._members = frozenset(members)
        self._count = count
        self._frame = dict(frame or {})
        self.remote: frozenset[str] | None = getattr(chat, "remote", None)

    def read_request(self, body: bytes) -> ChatRequest:
        """Return a caller's request."""
        return self._chat.read_request(body)

    def write_request(
        self, request: ChatRequest, *, traits: Mapping[str, Any], losses: Losses
    ) -> bytes:
        """Return the body for a provider."""
        written = self._chat.write_request(request, traits=traits, losses=losses)
        members = json.members(written).items()
        return json.encode({name: raw for name, raw in members if name in self._members})

    def read_reply(self, body: bytes, *, traits: Mapping[str, Any]) -> ChatReply:
        """Return a provider's count."""
        count = json.loads(bytes(json.members(body).get(self._count, json.NULL)))
        if not isinstance(count, int):
            raise ValueError(f"'{self._count}' is no number")
        return chat.ChatReply("", "", [], usage=Usage(input=count))

    def write_reply(self, reply: ChatReply, request: ChatRequest, *, losses: Losses) -> bytes:
        """Return a count for the caller."""
        count = None if reply.usage is None else reply.usage.input
        return json.encode({**self._frame, self._count: count})

    def reader(self, *, traits: Mapping[str, Any]) -> Any:
        """Raise: there is no stream of a count."""
        raise NotImplementedError("a count does not stream")

    def writer(self, request: ChatRequest, *, losses: Losses) -> Any:
        """Raise: there is no stream of a count."""
        raise NotImplementedError("a count does not stream")


def estimate_input(request: ChatRequest) -> int:
    """Return a guess at the input tokens of a request, where nobody can count them.

    Four bytes of text are about a token of English; a picture is taken for one of a megapixel and
    a half. Good for budgets, not for bills.
    """
    waiting: list[Part] = [part for message in request.messages for part in message.parts]
    size = sum(
        len(tool.name) + _size(tool.description) + len(tool.schema or tool.raw or b"")
        for tool in request.tools
    )
    tokens = len(request.messages) * _PER_MESSAGE
    while waiting:
        part = waiting.pop()
        size += _size(getattr(part, "text", None)) + _size(getattr(part, "arguments", None))
        if isinstance(part, chat.ToolResult):
            waiting += part.parts
        elif isinstance(part, chat.Media) and part.text is None:
            tokens += _weigh(part)
    return -(-size // _BYTES_PER_TOKEN) + tokens


def _size(text: str | None) -> int:
    return len(text.encode("utf-8", "replace")) if text else 0


def _weigh(medium: Media) -> int:
    if medium.kind == "document" and medium.data is not None:
        return len(medium.data) // _BYTES_PER_DOCUMENT_TOKEN
    return _PER_MEDIUM
