"""Content parts of ``openai.responses`` and their annotations, to and from the neutral model.

platform.openai.com/docs/api-reference/responses/create#responses-create-input (2026-11). Beyond
that page, ``cache_control`` (a caching mark of other vendors) and ``signature`` (a proof that
belongs to a text) are read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Raw

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.api.chat import Citation, Media, Opaque, Part, Refusal, Text

from . import data_urls
from .members import Members, place
from .openai_parts import read_parts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gomodel_proxy.api import Losses
    from gomodel_proxy.api.chat import Extra

__all__ = [
    "DIALECT",
    "drop_unknown",
    "keep_known",
    "read_citation",
    "read_content",
    "write_citation",
    "write_content",
    "write_part",
    "write_text",
]

DIALECT: Final = "openai.responses"
_KNOWN_IN_PART: Final = frozenset({"prompt_cache_breakpoint", "detail"})
_EMPTY: Final = Raw(b"[]")
_FORMATS: Final = {"audio/mpeg": "mp3", "audio/x-wav": "wav"}


# ---------------------------------------------------------------- reading


def read_content(members: Members, name: str) -> list[Part]:
    """Take an item's content: one text, or parts."""
    return read_parts(members, name, _PARTS)


def _read_text(part: Members) -> Text:
    text = Text(
        part.needed("text"),
        citations=[read_citation(note) for note in part.objects("annotations")],
        signature=part.text("signature"),
        cache=part.raw("cache_control"),
        at=part.at,
    )
    if part.rest.get("logprobs") == _EMPTY:
        part.raw("logprobs")
    return text


def _read_image(part: Members) -> Media:
    cache, detail = part.raw("cache_control"), part.text("detail")
    url, file_id = part.text("image_url"), part.text("file_id")
    if url is None and file_id is None:
        raise _missing(part, "image_url")
    inline = data_urls.split(url) if url is not None else None
    if inline is None:
        return Media("image", url=url, file_id=file_id, detail=detail, cache=cache, at=part.at)
    media_type, data = inline
    return Media(
        "image",
        data=data,
        media_type=media_type,
        file_id=file_id,
        detail=detail,
        cache=cache,
        at=part.at,
    )


def _read_file(part: Members) -> Media:
    cache, name = part.raw("cache_control"), part.text("filename")
    file_id, url, data = part.text("file_id"), part.text("file_url"), part.text("file_data")
    if file_id is None and url is None and data is None:
        raise _missing(part, "file_data")
    media_type = None
    if data is not None:
        media_type, data = data_urls.split(data) or (None, data)
    return Media(
        "document",
        url=url,
        data=data,
        file_id=file_id,
        media_type=media_type,
        name=name,
        cache=cache,
        at=part.at,
    )


def _read_audio(part: Members) -> Media:
    inner = part.members("input_audio")
    if inner is None:
        raise _missing(part, "input_audio")
    data, form = inner.needed("data"), inner.text("format") or "wav"
    extra = inner.extra_in("input_audio")
    cache = part.raw("cache_control")
    return Media(
        "audio", data=data, media_type=f"audio/{form}", cache=cache, at=part.at, extra=extra
    )


def _read_refusal(part: Members) -> Refusal:
    return Refusal(part.needed("refusal"), at=part.at)


def _missing(part: Members, name: str) -> InvalidRequest:
    at = part.place(name)
    return InvalidRequest(f"'{at}' is missing.", code="missing_parameter", param=at)


_PARTS: Final[dict[str, Any]] = {
    "input_text": _read_text,
    "input_image": _read_image,
    "input_file": _read_file,
    "input_audio": _read_audio,
    "output_text": _read_text,
    "refusal": _read_refusal,
    "text": _read_text,
}


def read_citation(note: Members) -> Citation:
    """Return an annotation, the vendor's own words kept beside ours."""
    raw = Raw(msgspec.json.encode(note.rest))
    kind = note.text("type")
    start = note.integer("start_index")
    return Citation(
        url=note.text("url") if kind == "url_citation" else None,
        title=note.text("title") or note.text("filename"),
        file_id=note.text("file_id"),
        cited=note.text("content"),
        start=note.integer("index") if start is None else start,
        end=note.integer("end_index"),
        raw=raw,
        dialect=DIALECT,
        at=note.at,
    )


# ---------------------------------------------------------------- writing


def keep_known(extra: Extra, known: Iterable[str]) -> Extra:
    """Return the members of an ``extra`` map that this dialect knows at that level."""
    return {name: extra[name] for name in known if name in extra}


def drop_unknown(at: str, extra: Extra, known: Iterable[str], losses: Losses) -> None:
    """Note the members of an ``extra`` map that this dialect has no word for at that level."""
    losses.drop_extra(at, (name for name in extra if name not in known))


def write_content(parts: Iterable[Part], losses: Losses) -> Any:
    """Return parts as input: one text as a string, all else as a list of parts."""
    written = [one for one in (write_part(part, losses) for part in parts) if one is not None]
    if len(written) == 1 and set(written[0]) == {"type", "text"}:
        return written[0]["text"]
    return written


def write_part(part: Part, losses: Losses) -> dict[str, Any] | None:
    """Return one input part, None if nothing of it can be said; raises `InvalidRequest`."""
    if isinstance(part, Text):
        if part.signature is not None:
            losses.drop(part.at, "signature")
        for citation in part.citations:
            losses.drop(citation.at or place(part.at, "citations"))
        out = {"type": "input_text", "text": part.text}
    elif isinstance(part, Media):
        out = _write_media(part, losses)
    elif isinstance(part, Refusal):
        return {"type": "input_text", "text": part.text}
    else:
        losses.drop(part.at)
        said = part.text if isinstance(part, Opaque) else ""
        return {"type": "input_text", "text": said} if said else None
    if part.cache is not None:
        losses.drop(part.at, "cache_control")
    drop_unknown(part.at, part.extra, _KNOWN_IN_PART, losses)
    return {**out, **keep_known(part.extra, _KNOWN_IN_PART)}


def _write_media(media: Media, losses: Losses) -> dict[str, Any]:
    inline = data_urls.join(media.media_type, media.data) if media.data is not None else None
    if media.kind == "image" and (media.url or inline or media.file_id):
        out: dict[str, Any] = {"type": "input_image", "detail": media.detail or "auto"}
        if media.url or inline:
            out["image_url"] = media.url or inline
        if media.file_id:
            out["file_id"] = media.file_id
        return out
    if media.kind == "audio" and media.data is not None:
        kind = media.media_type or "audio/wav"
        form = _FORMATS.get(kind, kind.rpartition("/")[2])
        return {"type": "input_audio", "input_audio": {"data": media.data, "format": form}}
    if media.kind == "document":
        return _write_document(media, inline, losses)
    raise InvalidRequest(
        f"'{media.at}' cannot be sent to this provider: its dialect takes no {media.kind} in this "
        "form.",
        code="unsupported_content",
        param=media.at,
    )


def _write_document(media: Media, inline: str | None, losses: Losses) -> dict[str, Any]:
    if media.text is not None:
        if media.name is not None:
            losses.drop(media.at, "title")
        return {"type": "input_text", "text": media.text}
    out: dict[str, Any] = {"type": "input_file"}
    if inline is not None:
        out["filename"] = media.name or "document"
        out["file_data"] = inline
    elif media.name is not None:
        out["filename"] = media.name
    if media.url is not None:
        out["file_url"] = media.url
    if media.file_id is not None:
        out["file_id"] = media.file_id
    return out


def write_text(text: Text, logprobs: Any = None) -> dict[str, Any]:
    """Return a text as a part of the model's own message."""
    notes = [write_citation(citation, text.text) for citation in text.citations]
    out: dict[str, Any] = {
        "type": "output_text",
        "annotations": [note for note in notes if note is not None],
        "logprobs": logprobs or [],
        "text": text.text,
    }
    if text.signature is not None:
        out["signature"] = text.signature
    return out


def write_citation(citation: Citation, text: str) -> Any:
    """Return an annotation of a text, None for one that this dialect has no form for."""
    if citation.raw is not None and citation.dialect == DIALECT:
        return citation.raw
    if citation.url is None and citation.file_id is not None:
        return {
            "type": "file_citation",
            "file_id": citation.file_id,
            "filename": citation.title or citation.file_id,
            "index": citation.start or 0,
        }
    if citation.url is None and citation.title is None and citation.cited is None:
        return None
    out = {
        "type": "url_citation",
        "url": citation.url or "",
        "title": citation.title or "",
        "start_index": citation.start or 0,
        "end_index": len(text) if citation.end is None else citation.end,
    }
    if citation.cited is not None:
        out["content"] = citation.cited
    return out
