"""Whole replies of ``openai.responses``, to and from the neutral model.

platform.openai.com/docs/api-reference/responses/object (2026-11).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Raw

from gomodel_proxy.api import InvalidRequest, UpstreamError
from gomodel_proxy.api.chat import (
    ChatReply,
    Choice,
    Media,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
)

from .members import Members
from .openai_responses_content import DIALECT, keep_known, write_text
from .openai_responses_frame import ECHOED, conclude, frame, item_id, response_id
from .openai_responses_items import read_output
from .openai_responses_proofs import wrap
from .openai_responses_turns import write_call, write_reasoning
from .openai_tiers import write_tier
from .openai_usage import read_usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gomodel_proxy.api import Losses
    from gomodel_proxy.api.chat import ChatRequest, FinishReason

__all__ = [
    "drop_part",
    "finish_of",
    "has_item",
    "message_item",
    "read_logprobs",
    "read_reply",
    "write_item",
    "write_logprobs",
    "write_reply",
]

_REASONS: Final[dict[str, FinishReason]] = {
    "max_output_tokens": "length",
    "max_messages": "length",
    "content_filter": "content_filter",
}
_KNOWN_EXTRA: Final = (
    "access_programs",
    "billing",
    "content_filters",
    "image",
    "input_transformations",
    "prompt_cache_diagnostics",
    "tool_usage",
)
_BOOKKEEPING: Final = frozenset({"object", "provider"})
_KNOWN_IN_CALL: Final = ("async", "caller", "namespace")
_KNOWN_IN_IMAGE: Final = ("action", "background", "quality", "revised_prompt", "size", "svg_usage")


# ---------------------------------------------------------------- reading


def read_reply(body: bytes) -> ChatReply:
    """Return a whole reply; raises `UpstreamError` if it says it failed, ValueError if it is none.

    One that still waits is none.
    """
    try:
        return _read_reply(Members(body))
    except InvalidRequest as error:
        raise ValueError(error.message) from error


def _read_reply(members: Members) -> ChatReply:
    status = members.text("status")
    error = members.members("error")
    if status in ("failed", "cancelled"):
        told = error or Members(b"{}")
        message = told.text("message") or f"The provider's response is {status}."
        raise UpstreamError(message, code=told.text("code"))
    if status in ("queued", "in_progress"):
        raise ValueError(f"the response is still {status}")
    details = members.members("incomplete_details")
    reason = details.text("reason") if details is not None else None
    parts: list[Part] = []
    for item in members.array("output") or ():
        parts.extend(read_output(item))
    usage = members.raw("usage")
    reply = ChatReply(
        members.text("id") or "",
        members.text("model") or "",
        [_choice(parts, status, reason)],
        created=int(members.number("created_at") or 0),
        usage=None if usage is None else read_usage(usage),
        service_tier=members.text("service_tier"),
    )
    members.raw("completed_at")
    left = members.extra
    reply.extra = {name: left[name] for name in left if name not in ECHOED}
    return reply


def _choice(parts: list[Part], status: str | None, reason: str | None) -> Choice:
    scores: list[Any] = []
    for part in parts:
        raw = part.extra.pop("logprobs", None) if isinstance(part, Text) else None
        if raw is not None:
            scores.extend(msgspec.json.decode(raw))
    return Choice(
        parts=parts,
        finish=finish_of(status, reason, any(isinstance(part, ToolCall) for part in parts)),
        raw_finish=reason or status,
        logprobs=read_logprobs(scores),
    )


def finish_of(status: str | None, reason: str | None, calls: bool) -> FinishReason:
    """Return why a response ended."""
    if status == "incomplete":
        return _REASONS.get(reason or "", "other")
    return "tool_calls" if calls else "stop"


def read_logprobs(scores: Sequence[Any]) -> Raw | None:
    """Return the probabilities of tokens as the model has them: as ``openai.chat`` does."""
    if not scores:
        return None
    return Raw(msgspec.json.encode({"content": list(scores), "refusal": None}))


# ---------------------------------------------------------------- writing


def write_reply(reply: ChatReply, request: ChatRequest, *, losses: Losses) -> bytes:
    """Return a whole reply; of several choices the first is written."""
    id_ = response_id(reply.id)
    out = frame(request, id=id_, model=reply.model, created=reply.created)
    for choice in reply.choices[1:]:
        losses.drop(f"choices[{choice.index}]")
    choice = reply.choices[0] if reply.choices else Choice()
    output = _Output(id_, choice, losses)
    conclude(out, output.write(), choice.finish, reply.usage)
    out |= write_tier(reply.service_tier, losses)
    out.update(keep_known(reply.extra, _KNOWN_EXTRA))
    said = (*_KNOWN_EXTRA, *_BOOKKEEPING)
    losses.drop_extra("", (name for name in reply.extra if name not in said))
    losses.drop_extra("choices[0]", (name for name in choice.extra if name != "role"))
    return msgspec.json.encode(out)


class _Output:
    """Writes the parts of a choice as items; words that follow each other are one message."""

    def __init__(self, response: str, choice: Choice, losses: Losses) -> None:
        self._response = response
        self._choice = choice
        self._losses = losses
        self._items: list[Any] = []
        self._words: list[Text | Refusal] = []
        self._scores = write_logprobs(choice.logprobs)

    def write(self) -> list[Any]:
        """Return the items."""
        for part in self._choice.parts:
            if isinstance(part, (Text, Refusal)):
                self._words.append(part)
            elif has_item(part):
                self._say("completed")
                self._items.append(write_item(part, self._response, len(self._items)))
            else:
                drop_part(part, self._losses)
                said = part.text if isinstance(part, (Opaque, Media)) else None
                if said:
                    self._words.append(Text(said))
        self._say("incomplete" if self._choice.finish == "length" else "completed")
        return self._items

    def _say(self, status: str) -> None:
        if not self._words:
            return
        content = []
        for part in self._words:
            if isinstance(part, Refusal):
                content.append({"type": "refusal", "refusal": part.text})
            else:
                content.append(write_text(part, self._scores))
                self._scores = []
                if len(content[-1]["annotations"]) < len(part.citations):
                    self._losses.drop("output.annotations")
        id_ = item_id("msg", self._response, len(self._items))
        self._items.append(message_item(id_, self._words[0], content, status))
        self._words = []


def drop_part(part: Part, losses: Losses) -> None:
    """Note a part that is neither an item nor words."""
    kind = part.type if isinstance(part, Opaque) else getattr(part, "kind", "part")
    losses.drop(f"output.{kind}")


def has_item(part: Part) -> bool:
    """Whether a part is an item by itself."""
    if isinstance(part, Media):
        return part.kind == "image" and part.data is not None
    if isinstance(part, Opaque):
        return part.dialect == DIALECT
    return isinstance(part, (ToolCall, Reasoning))


def message_item(id_: str, first: Part, content: Sequence[Any], status: str) -> dict[str, Any]:
    """Return a message of the model."""
    out: dict[str, Any] = {
        "type": "message",
        "id": id_,
        "role": "assistant",
        "status": status,
        "content": list(content),
    }
    return {**out, **keep_known(first.extra, ("phase",))}


def _image_item(id_: str, image: Media) -> dict[str, Any]:
    form = (image.media_type or "image/png").rpartition("/")[2]
    out = {"type": "image_generation_call", "id": id_, "status": "completed"}
    made = {**out, "result": image.data, "output_format": form}
    return {**made, **keep_known(image.extra, _KNOWN_IN_IMAGE)}


def write_item(part: Part, response: str, index: int) -> Any:
    """Return the complete item of a part that is one by itself."""
    if isinstance(part, ToolCall):
        prefix = "fc" if part.kind == "function" else "ctc"
        out = {**write_call(part), "id": part.item or item_id(prefix, response, index)}
        out["status"] = "completed"
        if part.signature is not None:
            out["signature"] = part.signature
        return {**out, **keep_known(part.extra, _KNOWN_IN_CALL)}
    if isinstance(part, Reasoning):
        id_ = part.item or item_id("rs", response, index)
        return {**write_reasoning(part, wrap(part)), "id": id_, "status": "completed"}
    if isinstance(part, Media):
        return _image_item(item_id("ig", response, index), part)
    if isinstance(part, Opaque):
        return part.raw
    raise TypeError(f"no item for {type(part).__name__}")


def write_logprobs(raw: Raw | None) -> list[Any]:
    """Return the probabilities of tokens as a text of this dialect has them."""
    if raw is None:
        return []
    given = msgspec.json.decode(raw)
    found = given.get("content") if isinstance(given, dict) else None
    return list(found) if isinstance(found, list) else []
