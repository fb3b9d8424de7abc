"""Content blocks, read: platform.claude.com/docs/en/api/messages (2026-11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Raw

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.api.chat import Media, Opaque, Part, Reasoning, Text, ToolCall, ToolResult
from gomodel_proxy.wire.members import Members, elements, place

from .citations import read_citation
from .names import DIALECT

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["read_block", "read_content"]

_OPAQUE: Final = frozenset(
    {
        "browser_state",
        "compaction",
        "container_upload",
        "fallback",
        "mcp_tool_result",
        "mcp_tool_use",
        "mid_conv_system",
        "search_result",
        "server_tool_use",
        "tool_reference",
    }
)
_OPAQUE_ENDINGS: Final = ("_tool_result", "_tool_use")


def read_content(raw: Raw | None, at: str, *, strict: bool = True) -> list[Part]:
    """Return a content: one text, or blocks; a block nobody knows is refused if ``strict``."""
    if raw is None:
        return []
    if memoryview(raw)[0] == ord('"'):
        return [Text(msgspec.json.decode(raw, type=str), at=at)]
    return [
        read_block(element, place(at, number), strict=strict)
        for number, element in enumerate(elements(raw, at))
    ]


def read_block(raw: Raw, at: str, *, strict: bool = True) -> Part:
    """Return one block; raises `InvalidRequest` naming the member at fault."""
    block = Members(raw, at)
    kind = block.needed("type")
    reader = _READERS.get(kind)
    if reader is not None:
        part: Part | None = reader(block)
        if part is not None:
            part.extra = {**part.extra, **block.rest}
            return part
    elif strict and kind not in _OPAQUE and not kind.endswith(_OPAQUE_ENDINGS):
        raise InvalidRequest(
            f"'{at}' has the unknown type '{kind}'.", code="invalid_value", param=at
        )
    return Opaque(DIALECT, kind, raw, _said(kind, raw), at=at)


def _read_text(block: Members) -> Text:
    at = block.place("citations")
    citations = [
        read_citation(raw, place(at, number))
        for number, raw in enumerate(block.array("citations") or ())
    ]
    return Text(block.needed("text"), citations, cache=block.raw("cache_control"), at=block.at)


def _read_media(kind: Any) -> Any:
    def read(block: Members) -> Media | None:
        source = block.members("source")
        if source is None:
            at = block.place("source")
            raise InvalidRequest(f"'{at}' is missing.", code="missing_parameter", param=at)
        form = source.needed("type")
        if form not in _SOURCES:
            if form == "content":
                return None  # blocks of their own, which only Anthropic takes as one document
            at = source.place("type")
            raise InvalidRequest(
                f"'{at}' is '{form}'; it takes {', '.join(_SOURCES)}.",
                code="invalid_value",
                param=at,
            )
        given = {_SOURCES[form]: source.needed(_MEMBERS[form])}
        return Media(
            kind,
            media_type=source.text("media_type"),
            name=block.text("title"),
            cache=block.raw("cache_control"),
            at=block.at,
            extra={f"source.{name}": value for name, value in source.rest.items()},
            **given,
        )

    return read


_SOURCES: Final = {"base64": "data", "url": "url", "file": "file_id", "text": "text"}
_MEMBERS: Final = {"base64": "data", "url": "url", "file": "file_id", "text": "data"}


def _read_call(block: Members) -> ToolCall:
    given = block.members("input")  # an object, or it is refused
    arguments = "{}" if given is None else msgspec.json.encode(given.rest).decode()
    return ToolCall(
        block.needed("id"),
        block.needed("name"),
        arguments,
        cache=block.raw("cache_control"),
        at=block.at,
    )


def _read_result(block: Members) -> ToolResult:
    return ToolResult(
        block.needed("tool_use_id"),
        read_content(block.raw("content"), block.place("content")),
        error=block.boolean("is_error"),
        cache=block.raw("cache_control"),
        at=block.at,
    )


def _read_thinking(block: Members) -> Reasoning:
    return Reasoning(
        block.text("thinking") or "",
        signature=block.text("signature"),
        dialect=DIALECT,
        at=block.at,
    )


def _read_redacted(block: Members) -> Reasoning:
    return Reasoning(encrypted=block.needed("data"), redacted=True, dialect=DIALECT, at=block.at)


_READERS: Final[dict[str, Any]] = {
    "text": _read_text,
    "image": _read_media("image"),
    "document": _read_media("document"),
    "tool_use": _read_call,
    "tool_result": _read_result,
    "thinking": _read_thinking,
    "redacted_thinking": _read_redacted,
}


# ---------------------------------------------------------------- what else can be said


def _said(kind: str, raw: Raw) -> str:
    """Return what can be said elsewhere of a block that the caller wrote."""
    block = msgspec.json.decode(raw, type=dict[str, Any])
    if kind == "tool_reference":
        return str(block.get("tool_name") or "")
    if kind == "search_result":
        heading = [str(block[name]) for name in ("title", "source") if block.get(name)]
        return "\n".join([*heading, *_texts(block.get("content"))])
    if kind == "document":
        source = block.get("source")
        content = source.get("content") if isinstance(source, dict) else None
        title = [str(block["title"])] if block.get("title") else []
        return "\n".join([*title, *_texts(content)])
    return ""


def _texts(content: Any) -> Iterable[str]:
    if isinstance(content, str):
        return [content]
    blocks = content if isinstance(content, list) else []
    return [str(block["text"]) for block in blocks if isinstance(block, dict) and "text" in block]
