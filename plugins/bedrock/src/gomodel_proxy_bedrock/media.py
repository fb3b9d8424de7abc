"""Images, documents, sounds and films as content blocks.

docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html (2026-11). Bytes or a
place in S3, never another URL; a document's name has a form of its own and is not used twice.

Traits: ``image_bytes`` and ``document_bytes``, what a medium may hold at the most.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from gomodel_proxy.api import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gomodel_proxy.api import Losses
    from gomodel_proxy.api.chat import Media

__all__ = ["MediaWriter"]

_OFFICE: Final = "application/vnd.openxmlformats-officedocument"
_KINDS: Final[dict[str, frozenset[str]]] = {
    "image": frozenset({"png", "jpeg", "gif", "webp"}),
    "document": frozenset({"pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md"}),
    "video": frozenset({"mkv", "mov", "mp4", "webm", "flv", "mpeg", "mpg", "wmv", "three_gp"}),
    "audio": frozenset(
        {"mp3", "opus", "wav", "aac", "flac", "mp4", "ogg", "mkv", "mka", "x-aac", "m4a", "mpeg"}
        | {"mpga", "pcm", "webm"}
    ),
}
_FORMATS: Final = {
    "image/jpg": "jpeg",
    "application/msword": "doc",
    f"{_OFFICE}.wordprocessingml.document": "docx",
    "application/vnd.ms-excel": "xls",
    f"{_OFFICE}.spreadsheetml.sheet": "xlsx",
    "text/markdown": "md",
    "text/plain": "txt",
    "application/json": "txt",
    "application/xml": "txt",
    "video/quicktime": "mov",
    "video/x-matroska": "mkv",
    "video/x-flv": "flv",
    "video/x-ms-wmv": "wmv",
    "video/3gpp": "three_gp",
    "audio/mpeg": "mp3",
    "audio/x-wav": "wav",
    "audio/wave": "wav",
    "audio/vnd.wave": "wav",
    "audio/x-m4a": "m4a",
    "audio/pcm16": "pcm",
}
_BEGINNINGS: Final = {  # of base64, for media that do not say what they are
    "iVBORw0KGgo": "png",
    "/9j/": "jpeg",
    "R0lGOD": "gif",
    "UklGR": "webp",
    "JVBERi": "pdf",
}
_EXTENSIONS: Final = {"jpg": "jpeg", "htm": "html", "3gp": "three_gp", "markdown": "md"}
_SILENT: Final = (None, "", "application/octet-stream", "binary/octet-stream")
_UNFIT: Final = re.compile(r"[^A-Za-z0-9()\[\]-]+")
_LONGEST_NAME: Final = 200


class MediaWriter:
    """Writes the media of one request; remembers the documents' names."""

    def __init__(self, traits: Mapping[str, Any], losses: Losses) -> None:
        self._traits = traits
        self._losses = losses
        self._names: set[str] = set()

    def write(self, part: Media) -> dict[str, Any]:
        """Return a block; raises `InvalidRequest` for what Bedrock cannot take."""
        source = self._source(part)
        block: dict[str, Any] = {"format": _format(part)}
        if part.kind == "document":
            block["name"] = self._name(part)
        elif part.name is not None:
            self._losses.drop(part.at, "name")
        block["source"] = source
        if part.detail not in (None, "auto"):
            self._losses.drop(part.at, "detail")
        for name, raw in part.extra.items():
            if part.kind == "document" and name in ("context", "citations"):
                block[name] = raw
            else:
                self._losses.drop(part.at, name)
        return {part.kind: block}

    def _source(self, part: Media) -> dict[str, Any]:
        if part.text is not None and part.kind == "document":
            return {"text": part.text}
        if part.data:
            self._weigh(part, part.data)
            return {"bytes": part.data}
        uri = part.url or part.file_id or ""
        if uri.startswith("s3://"):
            return {"s3Location": {"uri": uri}}
        given = "a URL" if part.url else "a file's id" if part.file_id else "nothing"
        raise _refused(part, f"Of kind {part.kind} it takes base64 or s3://, not {given}")

    def _weigh(self, part: Media, data: str) -> None:
        limit = self._traits.get(f"{part.kind}_bytes")
        size = len(data) * 3 // 4
        if limit is not None and size > limit:
            raise _refused(part, f"It has {size} bytes, and {limit} are the most this model takes")

    def _name(self, part: Media) -> str:
        given = part.name or ""
        stem, dot, ending = given.rpartition(".")
        if not dot or _EXTENSIONS.get(ending.lower(), ending.lower()) not in _KINDS["document"]:
            stem = given
        name = base = _UNFIT.sub(" ", stem).strip()[:_LONGEST_NAME].strip() or "Document"
        number = 1
        while name in self._names:
            number += 1
            name = f"{base[: _LONGEST_NAME - 4]} {number}"
        self._names.add(name)
        if part.name is not None and part.name not in (name, f"{name}.{ending}"):
            self._losses.change(part.at, part.name, name)
        return name


def _format(part: Media) -> str:
    if part.text is not None and part.kind == "document":
        return "txt"
    known = _KINDS[part.kind]
    media_type = (part.media_type or "").partition(";")[0].strip().lower()
    if media_type in _SILENT:
        found = _guess(part)
    else:
        found = _FORMATS.get(media_type) or media_type.rpartition("/")[2]
        if found not in known and part.kind == "document" and media_type.startswith("text/"):
            found = "txt"
    if found not in known:
        raise _refused(part, f"It takes {', '.join(sorted(known))}, not {media_type or 'this'}")
    return found


def _guess(part: Media) -> str:
    for beginning, form in _BEGINNINGS.items():
        if part.data and part.data.startswith(beginning):
            return form
    name = part.name or part.url or part.file_id or ""
    ending = name.rpartition(".")[2].lower()
    return _EXTENSIONS.get(ending, ending)


def _refused(part: Media, reason: str) -> InvalidRequest:
    return InvalidRequest(
        f"'{part.at}' cannot be sent to this provider. {reason}.",
        code="unsupported_content",
        param=part.at,
    )
