"""Messages of the neutral model, written as messages of ``openai.chat``.

platform.openai.com/docs/api-reference/chat/create (2026-11), and what vendors added to it: thoughts
with their proofs in ``reasoning_details``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.api.chat import (
    Media,
    Message,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)

from . import data_urls
from .members import place

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gomodel_proxy.api import Losses

__all__ = ["write_call", "write_media", "write_message", "write_thoughts"]

_BREAKPOINT: Final = "prompt_cache_breakpoint"
_AUDIO: Final = {"audio/mpeg": "mp3", "audio/mp3": "mp3", "audio/wav": "wav", "audio/x-wav": "wav"}


def write_message(
    message: Message, losses: Losses, *, thoughts: str | None, shown: list[Any] | None = None
) -> list[Any]:
    """Return a message as the none, one or more that the dialect needs.

    ``thoughts`` is the member that an assistant's thoughts go back in, None where they cannot.
    ``shown`` takes the media of tool results, which the dialect has no room for; None leaves them.
    """
    results = [part for part in message.parts if isinstance(part, ToolResult)]
    rest = [part for part in message.parts if not isinstance(part, ToolResult)]
    written = [_write_result(result, losses, shown) for result in results]
    turn = _write_turn(message, rest, losses, thoughts) if rest or not results else None
    if turn is not None:
        written.append(turn)
    if message.name and (turn is None or "name" not in turn):
        losses.drop(message.at, "name")
    if message.cache is not None:
        losses.drop(message.at, "cache_control")
    losses.drop_extra(message.at, message.extra)
    return written


def _write_turn(
    message: Message, parts: Sequence[Part], losses: Losses, thoughts: str | None
) -> dict[str, Any] | None:
    """Return a message of anybody's but a tool's, None if nothing of it could be said."""
    out: dict[str, Any] = {"role": "user" if message.role == "tool" else message.role}
    calls = [part for part in parts if isinstance(part, ToolCall)]
    content = _write_content(parts, message, losses)
    if content is not None or not calls:
        out["content"] = content if content is not None else ""
    else:
        out["content"] = None
    refused = [part for part in parts if isinstance(part, Refusal)]
    if refused:
        out["refusal"] = "".join(part.text for part in refused)
    if calls:
        out["tool_calls"] = [write_call(call) for call in calls]
    for call in calls:
        if call.signature is not None:
            losses.drop(call.at, "signature")
        if call.cache is not None:
            losses.drop(call.at, "cache_control")
        losses.drop_extra(call.at, call.extra)
    thought = [part for part in parts if isinstance(part, Reasoning)]
    if thought and thoughts is not None:
        out.update(write_thoughts(thought, thoughts))
    else:
        for part in thought:
            losses.drop(part.at or message.at)
    for spoken in (*refused, *thought):
        losses.drop_extra(spoken.at, spoken.extra)
    if parts and not out["content"] and len(out) == 2:
        return None if not any(isinstance(part, Text) for part in parts) else out
    if message.name:
        out["name"] = message.name
    return out


def _write_content(parts: Iterable[Part], message: Message, losses: Losses) -> Any:
    written = []
    for part in parts:
        if isinstance(part, Text):
            written.append({"type": "text", "text": part.text})
            if part.cache is not None:
                losses.drop(part.at, "cache_control")
            for citation in part.citations:
                losses.drop(citation.at or place(part.at, "citations"))
            if part.signature is not None:
                losses.drop(part.at, "signature")
        elif isinstance(part, Media):
            written.append(write_media(part))
            if part.cache is not None:
                losses.drop(part.at, "cache_control")
            if part.text is not None and part.name is not None:
                losses.drop(part.at, "title")
        elif isinstance(part, Opaque):
            losses.drop(part.at or message.at)
            if part.text:
                written.append({"type": "text", "text": part.text})
        else:
            continue
        _write_extra(part, written, losses)
    if not written:
        return None
    if all(set(part) == {"type", "text"} for part in written):
        if len(written) == 1:
            return written[0]["text"]
        if message.role == "assistant":
            return "".join(part["text"] for part in written)
    return written


def _write_extra(part: Part, written: list[dict[str, Any]], losses: Losses) -> None:
    """Add a part's further members to what was just written, or note them."""
    for name, raw in part.extra.items():
        if name == _BREAKPOINT and not isinstance(part, Opaque):
            written[-1][name] = raw
        else:
            losses.drop(part.at, name)


def _write_result(result: ToolResult, losses: Losses, shown: list[Any] | None) -> dict[str, Any]:
    shell = Message("tool", result.parts, at=result.at)
    content = _write_content(result.parts, shell, losses)
    if shown is not None and isinstance(content, list):
        media = [part for part in content if part["type"] != "text"]
        if media:
            content = [part for part in content if part["type"] == "text"]
            shown.extend([{"type": "text", "text": f"Returned by {result.call}:"}, *media])
            losses.change(place(result.at, "role"), "tool", "user")
    if result.error:
        losses.drop(result.at, "is_error")
    if result.cache is not None:
        losses.drop(result.at, "cache_control")
    losses.drop_extra(result.at, result.extra)
    return {"role": "tool", "tool_call_id": result.call, "content": content or ""}


def write_media(media: Media) -> dict[str, Any]:
    """Return a medium as a content part; raises `InvalidRequest` where there is no such part."""
    url = media.url or (data_urls.join(media.media_type, media.data) if media.data else None)
    if media.kind in ("image", "video") and url is not None:
        name = f"{media.kind}_url"
        inner: dict[str, Any] = {"url": url}
        if media.detail:
            inner["detail"] = media.detail
        return {"type": name, name: inner}
    if media.kind == "audio" and media.data is not None:
        form = _AUDIO.get(media.media_type or "", (media.media_type or "/wav").rpartition("/")[2])
        return {"type": "input_audio", "input_audio": {"data": media.data, "format": form}}
    if media.text is not None:
        return {"type": "text", "text": media.text}
    if media.file_id is not None:
        named = {"file_id": media.file_id, "filename": media.name}
        return {"type": "file", "file": {key: told for key, told in named.items() if told}}
    if media.kind == "document" and url is not None:
        return {"type": "file", "file": {"filename": media.name or "document", "file_data": url}}
    raise InvalidRequest(
        f"'{media.at}' cannot be sent to this provider: no {media.kind} from a URL in its dialect.",
        code="unsupported_content",
        param=media.at,
    )


def write_call(call: ToolCall) -> dict[str, Any]:
    """Return a call of a tool, without its proof: the dialect has no place for that."""
    inner = {"name": call.name, "arguments" if call.kind == "function" else "input": call.arguments}
    return {"id": call.id, "type": call.kind, call.kind: inner}


def write_thoughts(thoughts: Iterable[Reasoning], member: str) -> dict[str, Any]:
    """Return thoughts as members of a message: their text, and their proofs if they have any."""
    kept = list(thoughts)
    text = "".join(part.text or "\n\n".join(part.summary) for part in kept)
    out: dict[str, Any] = {member: text} if text else {}
    if any(part.signature or part.encrypted or (part.text and part.summary) for part in kept):
        out["reasoning_details"] = [_write_detail(part, n) for n, part in enumerate(kept)]
    return out


def _write_detail(part: Reasoning, index: int) -> dict[str, Any]:
    kind = "encrypted" if part.encrypted else "text" if part.text else "summary"
    detail = {
        "type": f"reasoning.{kind}",
        "text": part.text or None,
        "summary": "\n\n".join(part.summary) or None,
        "signature": part.signature,
        "data": part.encrypted,
        "id": part.item,
        "format": part.dialect,
        "index": index,
    }
    return {name: value for name, value in detail.items() if value is not None}
