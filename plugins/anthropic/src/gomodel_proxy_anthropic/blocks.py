"""Content blocks, written: platform.claude.com/docs/en/api/messages (2026-11)."""

from __future__ import annotations

import binascii
import re
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Raw

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.api.chat import (
    Media,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from gomodel_proxy.wire.members import place

from .citations import write_citation
from .names import DIALECT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gomodel_proxy.api import Losses

__all__ = ["tool_input", "write_blocks"]

_IMAGES: Final = ("image/jpeg", "image/png", "image/gif", "image/webp")
_KNOWN_EXTRA: Final = frozenset(
    {"caller", "citations", "context", "toolset_name", "transformations"}
)
_BAD_ID: Final = re.compile("[^a-zA-Z0-9_-]")
_PDF_BASE64: Final = "JVBERi"


def write_blocks(parts: Iterable[Part], role: str, losses: Losses) -> list[dict[str, Any] | Raw]:
    """Return the blocks of a turn; raises `InvalidRequest` for what Anthropic cannot take."""
    blocks: list[dict[str, Any] | Raw] = []
    for part in parts:
        block = _WRITERS[type(part)](part, role, losses)
        if block is None:
            continue
        if isinstance(block, dict):
            _finish(block, part, losses)
        blocks.append(block)
    return blocks


def _finish(block: dict[str, Any], part: Part, losses: Losses) -> None:
    """Add the members that blocks of several types have."""
    cache = getattr(part, "cache", None)
    if cache is not None:
        block["cache_control"] = cache
    item = getattr(part, "item", None)
    if item is not None:
        losses.drop(part.at, "id")
    for name, raw in part.extra.items():
        if name in _KNOWN_EXTRA:
            block[name] = raw
        else:
            losses.drop(part.at, name)


def _text(part: Text, role: str, losses: Losses) -> dict[str, Any] | None:
    if part.signature is not None:
        losses.drop(part.at, "signature")
    if not part.text:
        return None
    block: dict[str, Any] = {"type": "text", "text": part.text}
    if part.citations:
        # refused in a user's turn since version 2026-10-21
        kept = [write_citation(one, part.text) for one in part.citations]
        if role == "assistant" and None not in kept:
            block["citations"] = kept
        else:
            for one in part.citations:
                losses.drop(one.at or place(part.at, "citations"))
    return block


def _refusal(part: Refusal, role: str, losses: Losses) -> dict[str, Any] | None:
    losses.change(part.at, "refusal", "text")
    return {"type": "text", "text": part.text} if part.text else None


# ---------------------------------------------------------------- media


def _media(part: Media, role: str, losses: Losses) -> dict[str, Any]:
    if part.kind == "image":
        block = {"type": "image", "source": _image(part)}
        if part.name is not None:
            losses.drop(part.at, "name")
    elif part.kind == "document" and role != "assistant":
        block = {"type": "document", "source": _document(part)}
        if part.name is not None:
            block["title"] = part.name
    else:
        place = " in what the assistant said" if part.kind == "document" else ""
        raise _unsupported(part, f"Anthropic takes no {part.kind}{place}")
    if part.detail is not None and part.detail != "auto":
        losses.drop(part.at, "detail")
    return block


def _image(part: Media) -> dict[str, Any]:
    if part.url is not None:
        return {"type": "url", "url": part.url}
    if part.file_id is not None:
        return {"type": "file", "file_id": part.file_id}
    media_type = "image/jpeg" if part.media_type == "image/jpg" else part.media_type
    if media_type not in _IMAGES:
        raise _unsupported(part, f"Anthropic takes {', '.join(_IMAGES)}, not {media_type}")
    return {"type": "base64", "media_type": media_type, "data": part.data}


def _document(part: Media) -> dict[str, Any]:
    if part.text is not None:
        return {"type": "text", "media_type": "text/plain", "data": part.text}
    if part.url is not None:
        return {"type": "url", "url": part.url}
    if part.file_id is not None:
        return {"type": "file", "file_id": part.file_id}
    data = part.data or ""
    if part.media_type == "application/pdf" or (
        part.media_type in (None, "application/octet-stream") and data.startswith(_PDF_BASE64)
    ):
        return {"type": "base64", "media_type": "application/pdf", "data": data}
    if (part.media_type or "").startswith(("text/", "application/json")):
        return {"type": "text", "media_type": "text/plain", "data": _decoded(part, data)}
    raise _unsupported(part, f"Anthropic takes PDF and text, not {part.media_type or 'this'}")


def _decoded(part: Media, data: str) -> str:
    try:
        return binascii.a2b_base64(data).decode()
    except ValueError:
        raise _unsupported(part, "It is not the base64 of UTF-8 text") from None


def _unsupported(part: Media, reason: str) -> InvalidRequest:
    return InvalidRequest(
        f"'{part.at}' cannot be sent to this provider. {reason}.",
        code="unsupported_content",
        param=part.at,
    )


# ---------------------------------------------------------------- tools


def _call(part: ToolCall, role: str, losses: Losses) -> dict[str, Any]:
    if part.signature is not None:
        losses.drop(part.at, "signature")
    given = tool_input(part)
    if given is None:
        raise InvalidRequest(
            f"The arguments of '{part.at}' are not a JSON object, which Anthropic demands.",
            code="invalid_arguments",
            param=part.at,
        )
    return {"type": "tool_use", "id": _id(part.id), "name": part.name, "input": given}


def tool_input(part: ToolCall) -> Raw | dict[str, str] | None:
    """Return a call's arguments as an object, None if they are none; free text is wrapped."""
    if part.kind == "custom":
        return {"input": part.arguments}
    if not part.arguments.strip():
        return Raw(b"{}")
    raw = part.arguments.encode("utf-8", "replace")
    try:
        msgspec.json.decode(raw, type=dict[str, Raw])
    except (ValueError, RecursionError):
        return None
    return Raw(raw.strip())


def _result(part: ToolResult, role: str, losses: Losses) -> dict[str, Any]:
    block: dict[str, Any] = {"type": "tool_result", "tool_use_id": _id(part.call)}
    content = write_blocks(part.parts, "user", losses)
    if content:
        block["content"] = content
    if part.error is not None:
        block["is_error"] = part.error
    return block


def _id(id_: str) -> str:
    """Return an id of the form that Anthropic demands; the same for the call and its result."""
    return _BAD_ID.sub("_", id_) or "_"


# ---------------------------------------------------------------- what only its vendor understands


def _reasoning(part: Reasoning, role: str, losses: Losses) -> dict[str, Any] | None:
    if part.dialect == DIALECT and part.redacted:
        return {"type": "redacted_thinking", "data": part.encrypted or ""}
    if part.dialect == DIALECT and part.signature is not None:
        return {"type": "thinking", "thinking": part.text, "signature": part.signature}
    losses.drop(part.at)
    return None


def _opaque(part: Opaque, role: str, losses: Losses) -> dict[str, Any] | Raw | None:
    if part.dialect == DIALECT:
        return part.raw
    losses.drop(part.at)
    return {"type": "text", "text": part.text} if part.text else None


_WRITERS: Final[dict[type, Any]] = {
    Text: _text,
    Refusal: _refusal,
    Media: _media,
    ToolCall: _call,
    ToolResult: _result,
    Reasoning: _reasoning,
    Opaque: _opaque,
}
