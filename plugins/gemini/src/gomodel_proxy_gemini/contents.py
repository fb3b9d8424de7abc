"""Contents, read as messages: ai.google.dev/api/caching#Content (2026-11).

A content may hold results of functions beside other parts; those become messages of their own, in
order.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.api.chat import Message, Part, Role, Text, ToolResult
from gomodel_proxy.wire.json import string

from .call_ids import CallIds
from .parts import read_part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .nodes import Node

__all__ = ["read_contents", "read_system"]

_ROLES: Final[dict[str, Role]] = {
    "user": "user",
    "model": "assistant",
    "function": "user",
    "tool": "user",
}


def read_contents(members: Node) -> list[Message]:
    """Take the conversation; raises `InvalidRequest` naming the member at fault."""
    ids = CallIds()
    found: list[Message] = []
    for content in members.nodes("contents"):
        found.extend(_read_content(content, ids))
    return found


def _read_content(content: Node, ids: CallIds) -> Iterator[Message]:
    word = content.text("role") or "user"
    role = _ROLES.get(word)
    if role is None:
        at = content.place("role")
        raise InvalidRequest(
            f"'{at}' is '{word}'; it takes user or model.", code="invalid_value", param=at
        )
    parts = [read_part(part, ids) for part in content.nodes("parts")]
    extra = content.extra
    for results, run in groupby(parts, lambda part: isinstance(part, ToolResult)):
        kind: Role = "tool" if results else role
        yield Message(kind, list(run), at=content.at, extra=extra)
        extra = {}


def read_system(members: Node) -> list[Message]:
    """Take the system instruction: a content, whose role says nothing, or a text."""
    raw = members.rest.get("systemInstruction")
    at = members.place("systemInstruction")
    if raw is not None and memoryview(raw)[0] == ord('"'):
        text: Part = Text(string(members.rest.pop("systemInstruction"), at), at=at)
        return [Message("system", [text], at=at)]
    content = members.node("systemInstruction")
    if content is None:
        return []
    content.text("role")
    ids = CallIds()
    parts = [read_part(part, ids) for part in content.nodes("parts")]
    return [Message("system", parts, at=at, extra=content.extra)] if parts else []
