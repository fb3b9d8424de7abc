"""Replies of Converse, read into the neutral model.

docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html (2026-11). A reply has
neither id nor time nor model: the first two are made here, the model is the caller's to say.
"""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Raw

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.api.chat import (
    ChatReply,
    Choice,
    Citation,
    FinishReason,
    Media,
    Opaque,
    Part,
    Reasoning,
    Text,
    ToolCall,
)
from gomodel_proxy.wire import json
from gomodel_proxy.wire.members import Members

from .proofs import DIALECT
from .usage import read_usage

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "FINISHES",
    "new_id",
    "now",
    "read_block",
    "read_citation",
    "read_reply",
    "stopped_by",
]

FINISHES: Final[dict[str, FinishReason]] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
    "malformed_model_output": "error",
    "malformed_tool_use": "error",
}


def new_id() -> str:
    """Return an id for a reply."""
    return f"msg_{uuid.uuid4().hex}"


def now() -> int:
    """Return the seconds since the epoch."""
    return int(time.time())


def read_reply(body: bytes, proofs: str) -> ChatReply:
    """Return a whole reply, its thoughts those of a dialect; raises ValueError if it is none."""
    try:
        return _read(Members(body), proofs)
    except InvalidRequest as error:
        raise ValueError(error.message) from error


def _read(members: Members, proofs: str) -> ChatReply:
    output = members.members("output") or Members(b"{}")
    message = output.members("message") or Members(b"{}")
    reason = members.text("stopReason")
    usage, tier = members.raw("usage"), members.members("serviceTier")
    fields = members.raw("additionalModelResponseFields")
    members.raw("metrics")  # how long it took says nothing of the answer
    choice = Choice(
        parts=[read_block(block, proofs) for block in message.array("content") or ()],
        finish=None if reason is None else FINISHES.get(reason, "other"),
        stopped_by=stopped_by(fields),
        raw_finish=reason,
    )
    return ChatReply(
        new_id(),
        "",
        [choice],
        created=now(),
        usage=None if usage is None else read_usage(usage),
        service_tier=None if tier is None else tier.text("type"),
        extra=members.extra,
    )


class _Fields(msgspec.Struct):
    stop_sequence: str | None = None


def stopped_by(fields: Raw | None) -> str | None:
    """Return the stop sequence that a model named among its own fields."""
    if fields is None or fields == json.NULL:
        return None
    try:
        return msgspec.json.decode(fields, type=_Fields).stop_sequence
    except msgspec.DecodeError:
        return None  # a document of the model's own making


def read_block(raw: Raw, proofs: str) -> Part:
    """Return one content block; a kind without a word in the model is opaque."""
    block = Members(raw)
    text = block.text("text")
    if text is not None:
        return Text(text)
    inner = block.members("toolUse")
    if inner is not None:
        return _read_call(inner, raw)
    inner = block.members("reasoningContent")
    if inner is not None:
        return _read_thought(inner, proofs)
    inner = block.members("citationsContent")
    if inner is not None:
        said = [piece.text("text") or "" for piece in inner.objects("content")]
        return Text("".join(said), citations=[*map(read_citation, inner.objects("citations"))])
    inner = block.members("image")
    if inner is not None:
        return _read_image(inner)
    return Opaque(DIALECT, next(iter(block.rest), "block"), raw)


def _read_call(call: Members, raw: Raw) -> Part:
    kind = call.text("type")
    if kind not in (None, "tool_use"):  # run by the vendor: nobody else is to answer it
        return Opaque(DIALECT, kind or "", raw)
    given = call.raw("input")
    arguments = "{}" if given is None else bytes(given).decode()
    return ToolCall(call.needed("toolUseId"), call.needed("name"), arguments)


def _read_thought(thought: Members, proofs: str) -> Reasoning:
    hidden = thought.text("redactedContent")
    if hidden is not None:
        return Reasoning(encrypted=hidden, redacted=True, dialect=proofs)
    inner = thought.members("reasoningText") or Members(b"{}")
    return Reasoning(inner.text("text") or "", signature=inner.text("signature"), dialect=proofs)


def _read_image(image: Members) -> Part:
    source = image.members("source") or Members(b"{}")
    form = image.text("format")
    return Media(
        "image",
        data=source.text("bytes"),
        url=_uri(source),
        media_type=None if form is None else f"image/{form}",
    )


def _uri(source: Members) -> str | None:
    place = source.members("s3Location")
    return None if place is None else place.text("uri")


def read_citation(citation: Members) -> Citation:
    """Return a citation. Its location is one in the source, so offsets in the text are unknown."""
    raw = Raw(msgspec.json.encode(citation.rest))
    location = citation.members("location") or Members(b"{}")
    web = location.members("web")
    return Citation(
        url=None if web is None else web.text("url"),
        title=citation.text("title") or citation.text("source"),
        cited=_joined(citation.objects("sourceContent")),
        raw=raw,
        dialect=DIALECT,
    )


def _joined(pieces: Iterable[Members]) -> str | None:
    texts = [text for piece in pieces if (text := piece.text("text"))]
    return "".join(texts) or None
