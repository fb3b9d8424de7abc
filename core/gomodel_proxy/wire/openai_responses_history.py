"""The turns of ``openai.responses``, for a gateway that keeps those no vendor keeps.

platform.openai.com/docs/guides/conversation-state (2026-11): a request goes on from the response
``previous_response_id`` or from the items of ``conversation``. Items are listed as
platform.openai.com/docs/api-reference/responses/input-items (2026-11) shows them: each with an id,
messages with a type, a status and a list of parts, however short a caller wrote them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Raw

from gomodel_proxy.api import Asked, StoredItem, Written

from . import json
from .openai_responses_stamp import Stamper

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gomodel_proxy.api import GatewayError

__all__ = ["ResponsesHistory"]

_PREFIXES: Final = {
    "custom_tool_call": "ctc_",
    "custom_tool_call_output": "ctco_",
    "function_call": "fc_",
    "function_call_output": "fco_",
    "message": "msg_",
    "reasoning": "rs_",
}
_WITH_STATUS: Final = frozenset({"message", "function_call", "function_call_output"})
_NAMES: Final = ("previous_response_id", "conversation")
_PLACE: Final = re.compile(r"\binput\[(\d+)\]")
_COMPLETED: Final = Raw(b'"completed"')
_items = msgspec.json.Decoder(list[Raw]).decode


class ResponsesHistory:
    """A `History`. ``keeps`` is False for dialects that only ask about turns."""

    def __init__(self, *, keeps: bool = True) -> None:
        self.keeps = keeps

    def asked(self, body: bytes) -> Asked:
        """Return what a request says about turns."""
        members = json.fields(body)
        previous = members.get("previous_response_id", json.NULL)
        return Asked(
            previous=None if previous == json.NULL else json.string(previous, _NAMES[0]),
            conversation=_conversation(members.get("conversation", json.NULL)),
            keep=members.get("store") != json.FALSE,
            background=members.get("background") == json.TRUE,
        )

    def write(self, body: bytes, before: Sequence[StoredItem], *, native: bool) -> Written:
        """Return the request with ``before`` in front of its own items, and naming no turns."""
        members = json.fields(body)
        for name in _NAMES:
            members.pop(name, None)
        if not native:
            if members.get("store") != json.FALSE:
                members.pop("store", None)
            members.pop("background", None)
        if not before:
            return Written(json.encode(members))
        losses: tuple[str, ...] = ()
        kept = [item.body for item in before]
        if native:
            # A vendor takes back only thoughts that it had itself, with proof.
            kept = [item for item in kept if _kind(json.members(item)) != "reasoning"]
            losses = ("history.reasoning",) if len(kept) < len(before) else ()
        known = {item.id for item in before}
        own = [raw for raw in _own(members) if _referred(raw) not in known]
        members["input"] = Raw(json.encode([*map(Raw, kept), *own]))
        return Written(json.encode(members), losses)

    def place(self, text: str, before: int) -> str:
        """Return a text with places as the caller counts, who did not write ``before`` items."""

        def count(found: re.Match[str]) -> str:
            number = int(found[1])
            return f"input[{number - before}]" if number >= before else f"history[{number}]"

        return _PLACE.sub(count, text) if before else text

    def input(self, body: bytes, name: Callable[[str], str]) -> Sequence[StoredItem]:
        """Return a request's own items; raises `InvalidRequest` for what is none."""
        found = []
        for number, raw in enumerate(_own(json.fields(body))):
            if json.kind(raw) != "object":
                raise json.wrong_type(f"input[{number}]", "an object", raw)
            if _referred(raw) is None:  # what is referred to is there already
                found.append(_item(json.members(bytes(raw)), name))
        return found

    def output(self, response: bytes, name: Callable[[str], str]) -> Sequence[StoredItem]:
        """Return the items that a response added."""
        raw = json.members(response).get("output", json.NULL)
        if json.kind(raw) != "array":
            return ()
        return [_item(json.members(bytes(item)), name) for item in _items(raw)]

    def listed(self, items: Sequence[StoredItem]) -> bytes:
        """Return items as a JSON array, each with its id."""
        return json.encode([Raw(_shown(item)) for item in items])

    def stamp(self, response: bytes, members: Mapping[str, Any]) -> bytes:
        """Return a whole response with these members."""
        return json.encode({**json.members(response), **members})

    def stage(self, members: Mapping[str, Any], seen: Callable[[bytes, bool], None]) -> Stamper:
        """Return the stage that stamps a stream, and shows each response object in it."""
        return Stamper(members, seen)

    def failed(self, response: bytes, error: GatewayError) -> bytes:
        """Return a response that had only begun as one that failed."""
        told = {"code": "server_error", "message": error.message}
        return self.stamp(response, {"status": "failed", "error": told})


def _shown(item: StoredItem) -> bytes:
    """Return an item as it is listed: with its id."""
    return json.insert_member(item.body, "id", json.encode(item.id))


def _conversation(raw: Raw) -> str | None:
    if raw == json.NULL:
        return None
    if json.kind(raw) != "object":
        return json.string(raw, "conversation")
    return json.string(json.members(bytes(raw)).get("id", json.NULL), "conversation.id")


def _own(members: Mapping[str, Raw]) -> Sequence[Raw]:
    """Return the items of ``input``; a bare text is the message that it stands for."""
    raw = members.get("input", json.NULL)
    if raw == json.NULL:
        return ()
    if json.kind(raw) == "string":
        return (Raw(json.encode({"type": "message", "role": "user", "content": raw})),)
    if json.kind(raw) != "array":
        raise json.wrong_type("input", "a string or an array", raw)
    return _items(raw)


def _kind(item: Mapping[str, Raw]) -> str:
    raw = item.get("type", json.NULL)
    if json.kind(raw) == "string":
        return json.string(raw, "type")
    return "message" if "role" in item else "item_reference" if "id" in item else ""


def _referred(raw: Raw) -> str | None:
    """Return the id that an item is only a reference to, None for every other item."""
    if json.kind(raw) != "object":
        return None
    item = json.members(bytes(raw))
    if _kind(item) != "item_reference":
        return None
    return json.string(item.get("id", json.NULL), "id")


def _item(item: dict[str, Raw], name: Callable[[str], str]) -> StoredItem:
    kind = _kind(item)
    given = item.pop("id", json.NULL)
    id_ = json.string(given, "id") if json.kind(given) == "string" else ""
    item.pop("type", None)
    if kind in _WITH_STATUS and item.get("status", json.NULL) == json.NULL:
        item["status"] = _COMPLETED
    if kind == "message":
        item["content"] = _content(item)
    whole = {"type": kind, **item}
    return StoredItem(id_ or name(_PREFIXES.get(kind, "item_")), json.encode(whole))


def _content(message: Mapping[str, Raw]) -> Raw:
    """Return a message's content as a list of parts."""
    raw = message.get("content", json.NULL)
    if json.kind(raw) != "string":
        return raw
    part: dict[str, Any] = {"type": "input_text", "text": raw}
    if message.get("role") == Raw(b'"assistant"'):
        part = {"type": "output_text", "text": raw, "annotations": []}
    return Raw(json.encode([part]))
