"""Whole replies, read: ai.google.dev/api/generate-content#generatecontentresponse (2026-11)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.api.chat import ChatReply, Choice, Opaque, Part, Refusal, Text, ToolCall

from .call_ids import CallIds, made_up
from .grounding import Found, cited, grounded, in_characters, placed
from .logprobs import read_logprobs
from .nodes import Node, encoded
from .offsets import Offsets
from .parts import read_part
from .usage import read_usage
from .words import DIALECT, finish_of, tier_of

if TYPE_CHECKING:
    from msgspec import Raw

__all__ = ["ReplyIds", "blocked", "citations_of", "read_answer", "read_reply", "seconds"]

_FEEDBACK: Final = "promptFeedback"


class ReplyIds(CallIds):
    """Ids of the calls of one choice, made of the reply's own id where there are none."""

    def __init__(self, reply: str, choice: int) -> None:
        super().__init__()
        self._reply = reply
        self._choice = choice
        self._count = 0

    def call(self, name: str, id_: str | None, at: str) -> str:
        """Return the id of a call."""
        self._count += 1
        return id_ or made_up(self._reply, self._choice, self._count, name)


def read_reply(body: bytes) -> ChatReply:
    """Return a whole reply; raises ValueError if it is none."""
    try:
        return _read(Node(body))
    except InvalidRequest as error:
        raise ValueError(error.message) from error


def _read(members: Node) -> ChatReply:
    reply = ChatReply(
        members.text("responseId") or "",
        members.text("modelVersion") or "",
        [],
        created=seconds(members.text("createTime")),
    )
    usage = members.raw("usageMetadata")
    if usage is not None:
        reply.usage = read_usage(usage)
        reply.service_tier = tier_of(Node(usage).text("serviceTier"))
    for number, candidate in enumerate(members.nodes("candidates")):
        reply.choices.append(_read_choice(candidate, number, reply.id))
    feedback = members.rest.get(_FEEDBACK)
    if not reply.choices and feedback is not None:
        reply.choices.append(blocked(feedback))
    reply.extra = members.extra
    return reply


def _read_choice(candidate: Node, number: int, reply: str) -> Choice:
    index = candidate.whole("index")
    choice = Choice(index=number if index is None else index)
    ids = ReplyIds(reply, choice.index)
    content = candidate.node("content")
    for part in content.nodes("parts") if content is not None else ():
        choice.parts.append(read_answer(part, ids))
    word = candidate.text("finishReason")
    calls = any(isinstance(part, ToolCall) for part in choice.parts)
    if word is not None:
        choice.finish = finish_of(word, calls=calls)
        choice.raw_finish = word
    choice.logprobs = read_logprobs(candidate.raw("logprobsResult"))
    _cite(choice.parts, citations_of(candidate.rest))
    choice.extra = candidate.extra
    return choice


def read_answer(part: Node, ids: CallIds) -> Part:
    """Return a part of a reply; one of a new kind is kept as it came."""
    kind = next(iter(part.rest), "part")
    raw = part.rest.get(kind)
    try:
        found = read_part(part, ids)
    except InvalidRequest:
        if raw is None:
            raise
        return Opaque(DIALECT, kind, _whole(part))
    if isinstance(found, Opaque):
        found.text = ""  # what a tool ran is no part of the answer
    return found


def _whole(part: Node) -> Raw:
    return encoded(part.rest)


def citations_of(members: dict[str, Raw]) -> list[Found]:
    """Return the citations of a candidate, by the number of their part."""
    found: list[Found] = []
    if "groundingMetadata" in members:
        found.extend(grounded(members["groundingMetadata"]))
    if "citationMetadata" in members:
        found.extend(cited(members["citationMetadata"]))
    return found


def _cite(parts: list[Part], found: list[Found]) -> None:
    texts = [part.text if isinstance(part, Text) else None for part in parts]
    for number, citation in placed(found, texts):
        part = parts[number]
        if isinstance(part, Text):
            part.citations = [*part.citations, in_characters(citation, Offsets(part.text))]


def blocked(feedback: Raw) -> Choice:
    """Return the answer that a refused prompt has: none, and why."""
    told = Node(feedback)
    message = told.text("blockReasonMessage")
    return Choice(
        parts=[Refusal(message)] if message else [],
        finish="content_filter",
        raw_finish=told.text("blockReason"),
    )


def seconds(time: str | None) -> int:
    """Return RFC 3339 as seconds since the epoch, 0 if it is none."""
    try:
        return int(datetime.fromisoformat(time).timestamp()) if time else 0
    except ValueError:
        return 0
