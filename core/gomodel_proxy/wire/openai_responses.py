"""Responses: platform.openai.com/docs/api-reference/responses/create (2026-11)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import json, openai_errors
from .openai_dialect import OpenAIDialect
from .openai_events import EventMeter
from .openai_reply import created_response
from .openai_request import Request, read_request, require
from .openai_responses_codec import ResponsesCodec
from .openai_responses_history import ResponsesHistory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from msgspec import Raw

    from gomodel_proxy.api import Codec, GatewayError, Meter

__all__ = ["OpenAIResponses"]


class OpenAIResponses(OpenAIDialect):
    """``openai.responses``: items in, items out, which the vendor may keep."""

    name = "openai.responses"
    operation = "chat"
    paths = ("/v1/responses",)
    answer = "output"
    codec: Codec | None = ResponsesCodec()
    history = ResponsesHistory()

    def meter(self, *, hide_usage: bool) -> Meter:
        """Return the watcher of one stream of events; its usage is never ours to hide."""
        return EventMeter()

    def stream_error(self, error: GatewayError) -> bytes:
        """Return an error as the last event of a stream."""
        return openai_errors.response_event(error)

    def _read(self, body: bytes, members: dict[str, Raw]) -> Request:
        if members.get("input", json.NULL) != json.NULL:
            require(members, "input", "string", "array")
        resources = (*_previous(members), *_conversation(members))
        return read_request(body, members, resources=resources)

    def _answers(self, reply: dict[str, Raw]) -> bool:
        # An empty ``output`` is an answer: of a response that waits, failed or ran out of tokens.
        named = json.kind(reply.get("id", json.NULL)) == "string"
        failed = reply.get("error", json.NULL) != json.NULL
        return json.kind(reply.get("output", json.NULL)) == "array" or (named and not failed)

    def _created(self, reply: dict[str, Raw]) -> Sequence[str]:
        return (*created_response(reply), *_unmetered(reply))


def _unmetered(reply: dict[str, Raw]) -> Sequence[str]:
    """Return ``unmetered:<id>`` for a response whose usage is only known when it is fetched."""
    if reply.get("background") != json.TRUE or reply.get("usage", json.NULL) != json.NULL:
        return ()
    return tuple(f"unmetered:{one.partition(':')[2]}" for one in created_response(reply))


def _previous(members: dict[str, Raw]) -> Sequence[tuple[str, str]]:
    raw = members.get("previous_response_id", json.NULL)
    if raw == json.NULL:
        return ()
    return (("response", json.string(raw, "previous_response_id")),)


def _conversation(members: dict[str, Raw]) -> Sequence[tuple[str, str]]:
    raw = members.get("conversation", json.NULL)
    if raw == json.NULL:
        return ()
    if json.kind(raw) != "object":
        return (("conversation", json.string(raw, "conversation")),)
    name = json.members(bytes(raw)).get("id", json.NULL)
    return (("conversation", json.string(name, "conversation.id")),)
