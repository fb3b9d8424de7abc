"""Images, sounds, films and documents: ``inlineData`` and ``fileData``.

ai.google.dev/api/caching#Blob and #FileData, ai.google.dev/gemini-api/docs/file-input-methods
(2026-11). A ``fileUri`` is a file of the vendor's Files API, a film on YouTube, or a public URL.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.api.chat import Media

from .proofs import is_base64, standard
from .words import kind_of

if TYPE_CHECKING:
    from gomodel_proxy.api import Losses

    from .nodes import Node

__all__ = ["FILES", "read_file", "read_inline", "write_media"]

FILES: Final = "https://generativelanguage.googleapis.com/v1beta/files/"
_OWN: Final = ("https://generativelanguage.googleapis.com/", "gs://", "files/")
_FILMS: Final = ("youtube.com", "youtu.be")
_BEGINNINGS: Final = {
    "iVBORw0KGgo": "image/png",
    "/9j/": "image/jpeg",
    "R0lGOD": "image/gif",
    "UklGR": "image/webp",
    "JVBERi": "application/pdf",
    "SUQz": "audio/mp3",
}
_DEFAULTS: Final = {
    "image": "image/png",
    "audio": "audio/wav",
    "video": "video/mp4",
    "document": "application/pdf",
}
_ENDINGS: Final = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
    "heic": "image/heic",
    "heif": "image/heif",
    "pdf": "application/pdf",
    "txt": "text/plain",
    "md": "text/markdown",
    "csv": "text/csv",
    "html": "text/html",
    "json": "application/json",
    "xml": "text/xml",
    "mp3": "audio/mp3",
    "wav": "audio/wav",
    "ogg": "audio/ogg",
    "flac": "audio/flac",
    "aac": "audio/aac",
    "mp4": "video/mp4",
    "mov": "video/mov",
    "webm": "video/webm",
}


def read_inline(blob: Node) -> Media:
    """Return a medium whose bytes stand in the body."""
    media_type = blob.text("mimeType")
    return Media(
        kind_of(media_type),
        data=standard(blob.needed("data")),
        media_type=media_type,
        name=blob.text("displayName"),
        at=blob.at,
        extra=blob.extra,
    )


def read_file(file: Node) -> Media:
    """Return a medium that stands elsewhere: with the vendor (``file_id``) or on the web."""
    uri, media_type = file.needed("fileUri"), file.text("mimeType")
    own = uri.startswith(_OWN)
    film = (urlsplit(uri).hostname or "").endswith(_FILMS)
    return Media(
        "video" if film and media_type is None else kind_of(media_type),
        url=None if own else uri,
        file_id=uri if own else None,
        media_type=media_type,
        name=file.text("displayName"),
        at=file.at,
        extra=file.extra,
    )


def write_media(media: Media, losses: Losses) -> dict[str, Any]:
    """Return a medium as a part; raises `InvalidRequest` for a file of another vendor."""
    for name in ("name", "detail"):
        if getattr(media, name) is not None:
            losses.drop(media.at, name)
    if media.text is not None:
        return {"text": media.text}
    if media.data is not None:
        return {"inlineData": {"mimeType": _type(media), "data": _checked(media, media.data)}}
    uri = media.url
    if media.file_id is not None and media.file_id.startswith(_OWN):
        uri = FILES + media.file_id[6:] if media.file_id.startswith("files/") else media.file_id
    if uri is None:
        raise InvalidRequest(
            f"'{media.at}' is a file that this provider does not know: it takes bytes, URLs, and "
            "files of its own ('files/…').",
            code="unsupported_content",
            param=media.at,
        )
    file = {"fileUri": uri}
    media_type = media.media_type or _ENDINGS.get(_ending(uri))
    if media_type is not None:
        file["mimeType"] = media_type
    return {"fileData": file}


def _checked(media: Media, data: str) -> str:
    if not is_base64(data):
        raise InvalidRequest(
            f"'{media.at}' holds data that is not base64.", code="invalid_base64", param=media.at
        )
    return data


def _type(media: Media) -> str:
    if media.media_type is not None:
        return media.media_type
    data = media.data or ""
    found = (kind for beginning, kind in _BEGINNINGS.items() if data.startswith(beginning))
    named = _ENDINGS.get(_ending(media.name or ""))
    return next(found, None) or named or _DEFAULTS[media.kind]


def _ending(uri: str) -> str:
    return urlsplit(uri).path.rpartition(".")[2].lower()
