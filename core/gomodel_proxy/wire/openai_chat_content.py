"""Messages of ``openai.chat`` and their parts, read into the neutral model.

platform.openai.com/docs/api-reference/chat/create (2026-11). Vendors' widespread additions are
read too: ``reasoning_content`` and ``reasoning`` of an assistant's message, ``reasoning_details``
(proofs of thought), ``cache_control``, ``video_url`` and ``thinking`` parts.
"""

from __future__ import annotations

from typing import Any, Final

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

from . import data_urls, json
from .members import Members, elements, place
from .openai_parts import read_parts, unknown_role

__all__ = ["DIALECT", "read_content", "read_message", "read_thoughts", "read_tool_calls"]

DIALECT: Final = "openai.chat"
_ROLES: Final = ("system", "developer", "user", "assistant", "tool")


def read_message(members: Members) -> Message:
    """Return one message; raises `InvalidRequest` naming the member at fault."""
    role = members.needed("role")
    if role not in _ROLES:
        raise unknown_role(members, role, _ROLES)
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
        extra=members.extra,
    )


def read_content(members: Members) -> list[Part]:
    """Take a message's content: one text, or parts."""
    return read_parts(members, "content", _PARTS)


def _read_text(part: Members) -> Text:
    return Text(part.needed("text"), cache=part.raw("cache_control"), at=part.at)


def _read_image(part: Members) -> Media:
    raw = part.raw("image_url")
    if raw is not None and memoryview(raw)[0] == ord("{"):
        inner = Members(raw, part.place("image_url"))
        image = _from_url("image", inner.needed("url"), part, detail=inner.text("detail"))
        image.extra = inner.extra_in("image_url")
        return image
    return _from_url(
        "image", "" if raw is None else json.string(raw, part.place("image_url")), part
    )


def _read_video(part: Members) -> Media:
    inner = part.members("video_url")
    video = _from_url("video", inner.needed("url") if inner else "", part)
    video.extra = inner.extra_in("video_url") if inner else {}
    return video


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
    form, data = inner.text("format") or "wav", inner.needed("data")
    extra = inner.extra_in("input_audio")
    return Media("audio", data=data, media_type=f"audio/{form}", at=part.at, extra=extra)


def _read_file(part: Members) -> Media:
    inner = part.members("file") or Members(b"{}", part.place("file"))
    name, file_id, data = inner.text("filename"), inner.text("file_id"), inner.text("file_data")
    cache, extra = part.raw("cache_control"), inner.extra_in("file")
    media = Media("document", file_id=file_id, name=name, cache=cache, at=part.at, extra=extra)
    inline = data_urls.split(data) if data is not None else None
    if inline is not None:
        media.media_type, media.data = inline
    elif data is not None and data.startswith(("http://", "https://")):
        media.url = data
    else:
        media.data = data
    return media


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
        said = _read_thought(members)
        if said is not None and thoughts and not any(one.text or one.summary for one in thoughts):
            thoughts[0].text = said.text
        return list(thoughts)
    said = _read_thought(members)
    return [] if said is None else [said]


def _read_thought(members: Members) -> Reasoning | None:
    """Take thoughts that are text alone; of two such members the second repeats the first."""
    found = None
    for name in ("reasoning_content", "reasoning"):
        raw = members.rest.get(name)
        if raw is not None and memoryview(raw)[0] == ord('"'):
            text = members.text(name)
            if text and found is None:
                found = Reasoning(text, at=members.place(name), dialect=DIALECT)
    return found


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
        extra=detail.extra,
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
                extra={**call.extra, **inner.extra_in(kind)},
            )
        )
    return calls
