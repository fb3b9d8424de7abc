"""Messages of ``openai.chat`` and their parts, to and from the neutral model.

platform.openai.com/docs/api-reference/chat/create (2026-11). Vendors' widespread additions are
read too: ``reasoning_content`` and ``reasoning`` of an assistant's message, ``reasoning_details``
(proofs of thought), ``cache_control``, ``video_url`` and ``thinking`` parts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Raw

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
from .members import Members, elements, place

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gomodel_proxy.api import Losses

__all__ = [
    "read_content",
    "read_message",
    "read_thoughts",
    "read_tool_calls",
    "write_call",
    "write_media",
    "write_message",
    "write_thoughts",
]

DIALECT: Final = "openai.chat"
_ROLES: Final = ("system", "developer", "user", "assistant", "tool")
_AUDIO: Final = {"audio/mpeg": "mp3", "audio/mp3": "mp3", "audio/wav": "wav", "audio/x-wav": "wav"}


# ---------------------------------------------------------------- reading


def read_message(members: Members) -> Message:
    """Return one message; raises `InvalidRequest` naming the member at fault."""
    role = members.needed("role")
    if role not in _ROLES:
        at = members.place("role")
        raise InvalidRequest(
            f"'{at}' is '{role}'; it takes {', '.join(_ROLES)}.", code="invalid_value", param=at
        )
    parts = [*read_thoughts(members), *read_content(members)]
    refusal = members.text("refusal")
    if refusal:
        parts.append(Refusal(refusal, at=members.place("refusal")))
    parts.extend(read_tool_calls(members))
    if role == "tool":
        call = members.needed("tool_call_id")
        parts = [ToolResult(call, parts, at=members.at)]
    return Message(
        role,  # type: ignore[arg-type]
        parts,
        name=members.text("name"),
        cache=members.raw("cache_control"),
        at=members.at,
        extra=members.rest,
    )


def read_content(members: Members) -> list[Part]:
    """Take a message's content: one text, or parts."""
    raw = members.raw("content")
    if raw is None:
        return []
    at = members.place("content")
    if memoryview(raw)[0] == ord('"'):
        return [Text(msgspec.json.decode(raw, type=str), at=at)]
    return [
        _read_part(Members(element, place(at, number)))
        for number, element in enumerate(elements(raw, at))
    ]


def _read_part(part: Members) -> Part:
    kind = part.needed("type")
    reader = _PARTS.get(kind)
    if reader is None:
        raise InvalidRequest(
            f"'{part.at}' has the unknown type '{kind}'; it takes {', '.join(_PARTS)}.",
            code="invalid_value",
            param=part.at,
        )
    found: Part = reader(part)
    found.extra = part.rest
    return found


def _read_text(part: Members) -> Text:
    return Text(part.needed("text"), cache=part.raw("cache_control"), at=part.at)


def _read_image(part: Members) -> Media:
    raw = part.raw("image_url")
    detail = None
    if raw is not None and memoryview(raw)[0] == ord("{"):
        inner = Members(raw, part.place("image_url"))
        url, detail = inner.needed("url"), inner.text("detail")
    else:
        url = "" if raw is None else msgspec.json.decode(raw, type=str)
    return _from_url("image", url, part, detail=detail)


def _read_video(part: Members) -> Media:
    inner = part.members("video_url")
    return _from_url("video", inner.needed("url") if inner else "", part)


def _from_url(kind: Any, url: str, part: Members, detail: str | None = None) -> Media:
    if not url:
        at = part.place(f"{kind}_url")
        raise InvalidRequest(f"'{at}' is missing.", code="missing_parameter", param=at)
    cache = part.raw("cache_control")
    inline = data_urls.split(url)
    if inline is None:
        return Media(kind, url=url, detail=detail, cache=cache, at=part.at)
    media_type, data = inline
    return Media(kind, data=data, media_type=media_type, detail=detail, cache=cache, at=part.at)


def _read_audio(part: Members) -> Media:
    inner = part.members("input_audio")
    if inner is None:
        at = part.place("input_audio")
        raise InvalidRequest(f"'{at}' is missing.", code="missing_parameter", param=at)
    form = inner.text("format") or "wav"
    return Media("audio", data=inner.needed("data"), media_type=f"audio/{form}", at=part.at)


def _read_file(part: Members) -> Media:
    inner = part.members("file") or Members(b"{}", part.place("file"))
    name, file_id, data = inner.text("filename"), inner.text("file_id"), inner.text("file_data")
    if data is None:
        return Media("document", file_id=file_id, name=name, at=part.at)
    inline = data_urls.split(data)
    if inline is None and data.startswith(("http://", "https://")):
        return Media("document", url=data, name=name, at=part.at)
    media_type, data = inline or (None, data)
    return Media("document", data=data, media_type=media_type, name=name, at=part.at)


def _read_refusal(part: Members) -> Refusal:
    return Refusal(part.needed("refusal"), at=part.at)


def _read_thinking(part: Members) -> Reasoning:
    raw = part.raw("thinking")
    if raw is not None and memoryview(raw)[0] == ord('"'):
        return Reasoning(msgspec.json.decode(raw, type=str), at=part.at, dialect=DIALECT)
    pieces = elements(raw, part.place("thinking")) if raw is not None else []
    text = "".join(Members(piece, part.at).text("text") or "" for piece in pieces)
    return Reasoning(text, at=part.at, dialect=DIALECT)


_PARTS: Final[dict[str, Any]] = {
    "text": _read_text,
    "image_url": _read_image,
    "input_audio": _read_audio,
    "file": _read_file,
    "video_url": _read_video,
    "refusal": _read_refusal,
    "thinking": _read_thinking,
}


def read_thoughts(members: Members) -> list[Part]:
    """Take an assistant's thoughts: with their proofs where those were kept, else as text."""
    details = members.raw("reasoning_details")
    if details is not None:
        thoughts = [
            _read_detail(Members(element, place(members.place("reasoning_details"), number)))
            for number, element in enumerate(elements(details, members.place("reasoning_details")))
        ]
        members.raw("reasoning_content")
        members.raw("reasoning")
        return list(thoughts)
    for name in ("reasoning_content", "reasoning"):
        raw = members.rest.get(name)
        if raw is not None and memoryview(raw)[0] == ord('"'):
            text = members.text(name)
            return [Reasoning(text, at=members.place(name), dialect=DIALECT)] if text else []
    return []


def _read_detail(detail: Members) -> Reasoning:
    kind = detail.text("type") or ""
    text, summary = detail.text("text") or "", detail.text("summary")
    data = detail.text("data")
    dialect = detail.text("format") or DIALECT
    detail.raw("index")
    return Reasoning(
        text,
        summary=[summary] if summary else [],
        signature=detail.text("signature"),
        encrypted=data,
        redacted=kind == "reasoning.encrypted" and data is not None and not text,
        item=detail.text("id"),
        dialect=dialect,
        at=detail.at,
        extra=detail.rest,
    )


def read_tool_calls(members: Members) -> list[Part]:
    """Take an assistant's calls of tools."""
    calls: list[Part] = []
    for call in members.objects("tool_calls"):
        kind = call.text("type") or "function"
        if kind not in ("function", "custom"):
            calls.append(Opaque(DIALECT, kind, Raw(msgspec.json.encode(call.rest)), at=call.at))
            continue
        inner = call.members(kind)
        if inner is None:
            at = call.place(kind)
            raise InvalidRequest(f"'{at}' is missing.", code="missing_parameter", param=at)
        arguments = inner.text("arguments" if kind == "function" else "input") or ""
        call.raw("index")
        calls.append(
            ToolCall(
                call.needed("id"),
                inner.needed("name"),
                arguments,
                kind,  # type: ignore[arg-type]
                signature=call.text("signature"),
                at=call.at,
                extra=call.rest,
            )
        )
    return calls


# ---------------------------------------------------------------- writing


def write_message(message: Message, losses: Losses, *, thoughts: str | None) -> list[Any]:
    """Return a message as the one or more that the dialect needs.

    ``thoughts`` is the member that an assistant's thoughts go back in, None where they cannot.
    """
    results = [part for part in message.parts if isinstance(part, ToolResult)]
    rest = [part for part in message.parts if not isinstance(part, ToolResult)]
    written = [_write_result(result, losses) for result in results]
    if rest or not results:
        written.append(_write_turn(message, rest, losses, thoughts))
    return written


def _write_turn(
    message: Message, parts: Sequence[Part], losses: Losses, thoughts: str | None
) -> dict[str, Any]:
    out: dict[str, Any] = {"role": message.role}
    calls = [part for part in parts if isinstance(part, ToolCall)]
    content = _write_content(parts, message, losses)
    if content is not None or not calls:
        out["content"] = content if content is not None else ""
    else:
        out["content"] = None
    refusals = [part.text for part in parts if isinstance(part, Refusal)]
    if refusals:
        out["refusal"] = "".join(refusals)
    if calls:
        out["tool_calls"] = [write_call(call) for call in calls]
    thought = [part for part in parts if isinstance(part, Reasoning)]
    if thought and thoughts is not None:
        out.update(write_thoughts(thought, thoughts))
    else:
        for part in thought:
            losses.drop(part.at or message.at)
    if message.name:
        out["name"] = message.name
    if message.cache is not None:
        losses.drop(message.at, "cache_control")
    losses.drop_extra(message.at, message.extra)
    return out


def _write_content(parts: Iterable[Part], message: Message, losses: Losses) -> Any:
    written = []
    for part in parts:
        if isinstance(part, Text):
            written.append({"type": "text", "text": part.text})
            if part.cache is not None:
                losses.drop(part.at, "cache_control")
            if part.citations and message.role == "assistant":
                losses.drop(part.at, "citations")
        elif isinstance(part, Media):
            written.append(write_media(part))
            if part.cache is not None:
                losses.drop(part.at, "cache_control")
        elif isinstance(part, Opaque):
            losses.drop(part.at or message.at)
            if part.text:
                written.append({"type": "text", "text": part.text})
        else:
            continue
        losses.drop_extra(part.at, part.extra)
    if not written:
        return None
    if all(part["type"] == "text" for part in written):
        if len(written) == 1:
            return written[0]["text"]
        if message.role == "assistant":
            return "".join(part["text"] for part in written)
    return written


def _write_result(result: ToolResult, losses: Losses) -> dict[str, Any]:
    shell = Message("tool", result.parts, at=result.at)
    content = _write_content(result.parts, shell, losses)
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
        return {"type": "file", "file": {"file_id": media.file_id}}
    if media.kind == "document" and url is not None:
        return {"type": "file", "file": {"filename": media.name or "document", "file_data": url}}
    raise InvalidRequest(
        f"'{media.at}' cannot be sent to this provider: no {media.kind} from a URL in its dialect.",
        code="unsupported_content",
        param=media.at,
    )


def write_call(call: ToolCall) -> dict[str, Any]:
    """Return a call of a tool."""
    inner = {"name": call.name, "arguments" if call.kind == "function" else "input": call.arguments}
    out: dict[str, Any] = {"id": call.id, "type": call.kind, call.kind: inner}
    if call.signature is not None:
        out["signature"] = call.signature
    return out


def write_thoughts(thoughts: Iterable[Reasoning], member: str) -> dict[str, Any]:
    """Return thoughts as members of a message: their text, and their proofs if they have any."""
    kept = list(thoughts)
    text = "".join(part.text or "\n\n".join(part.summary) for part in kept)
    out: dict[str, Any] = {member: text} if text else {}
    if any(part.signature or part.encrypted for part in kept):
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
