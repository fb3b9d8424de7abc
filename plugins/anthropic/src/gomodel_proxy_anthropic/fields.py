"""Request bodies of the Messages API: what routing needs, all else left as bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Raw

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.wire import json
from gomodel_proxy.wire.openai_request import read_model, require

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["MessagesFields"]

_CALLERS_OWN: Final = frozenset({"input", "input_schema"})
"""Members with data of the caller's: an id in them names nothing of Anthropic's."""


class MessagesFields:
    """A body read once; the `Fields` of ``/v1/messages`` and of counting its tokens."""

    __slots__ = ("_body", "_members", "model", "provider", "stream")

    def __init__(self, body: bytes) -> None:
        """Check and decode; raises `InvalidRequest` naming the member at fault."""
        members = json.fields(body)
        self._body = body
        self._members = members
        self.model = read_model(members)
        stream = members.get("stream")
        self.stream = stream is not None and json.boolean(stream, "stream")
        self.provider = _hint(members)
        if json.is_empty(require(members, "messages", "array")):
            raise InvalidRequest("'messages' is empty.", code="empty_array", param="messages")

    @property
    def asked_usage(self) -> bool:
        """Whether the stream reports usage; here it always does."""
        return True

    @property
    def references(self) -> Sequence[tuple[str, str]]:
        """The files that content names, and the container to be used again."""
        found: list[tuple[str, str]] = []
        if b"file" in self._body and b"_id" in self._body:
            messages = msgspec.json.decode(self._members["messages"])
            found += [("file", name) for name in _files(messages)]
        container = _container(self._members.get("container", json.NULL))
        if container:
            found.append(("container", container))
        return tuple(dict.fromkeys(found))

    def readdress(self, model: str, *, ask_usage: bool) -> bytes:
        """Return the body for ``model``; the same object if there is nothing to change."""
        if model == self.model and self.provider is None:
            return self._body
        members = self._members.copy()
        members["model"] = Raw(json.encode(model))
        if self.provider is not None:
            del members["provider"]
        return json.encode(members)


def _hint(members: Mapping[str, Raw]) -> str | None:
    raw = members.get("provider", json.NULL)
    return json.string(raw, "provider") if json.kind(raw) == "string" else None


def _container(raw: Raw) -> str | None:
    value = msgspec.json.decode(raw)
    name = value.get("id") if isinstance(value, dict) else value
    return name if isinstance(name, str) else None


def _files(root: Any) -> Iterator[str]:
    waiting = [root]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += reversed(value)
        elif isinstance(value, dict):
            if isinstance(value.get("file_id"), str) and value.get("type") in _NAMING:
                yield value["file_id"]
            waiting += [inner for name, inner in value.items() if name not in _CALLERS_OWN]


_NAMING: Final = ("file", "container_upload")
"""The sources and blocks that give a file to the model; elsewhere a file is only spoken of."""
