"""Documents and media: docs.cohere.com/docs/image-inputs, /docs/retrieval-augmented-generation-rag
(2026-11). The vendor reads images and text.
"""

from __future__ import annotations

import binascii
from typing import TYPE_CHECKING, Any, Final

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.wire import data_urls

if TYPE_CHECKING:
    from gomodel_proxy.api import Losses
    from gomodel_proxy.api.chat import Media

__all__ = ["document_data", "write_image"]

_IMAGES: Final = ("image/jpeg", "image/png", "image/gif", "image/webp")
_DETAILS: Final = ("auto", "low", "high")


def write_image(part: Media, losses: Losses) -> dict[str, Any]:
    """Return an image as a part of a user's message; raises `InvalidRequest` for other media."""
    if part.kind != "image":
        raise _unsupported(part, f"Cohere takes no {part.kind}")
    if part.url is None and part.data is None:
        raise _unsupported(part, "Cohere keeps no images, so none can be named by an id")
    url = part.url
    if url is None:
        media_type = "image/jpeg" if part.media_type == "image/jpg" else part.media_type
        if media_type is not None and media_type not in _IMAGES:
            raise _unsupported(part, f"Cohere takes {', '.join(_IMAGES)}, not {media_type}")
        url = data_urls.join(media_type, part.data or "")
    image: dict[str, Any] = {"url": url}
    if part.detail in _DETAILS:
        image["detail"] = part.detail
    elif part.detail is not None:
        losses.drop(part.at, "detail")
    _drop_rest(part, losses)
    if part.name is not None:
        losses.drop(part.at, "name")
    return {"type": "image_url", "image_url": image}


def document_data(part: Media, losses: Losses) -> dict[str, str]:
    """Return a document of text as title and text; raises `InvalidRequest` for any other."""
    _drop_rest(part, losses)
    title = {} if part.name is None else {"title": part.name}
    return {**title, "text": _text(part)}


def _text(part: Media) -> str:
    if part.text is not None:
        return part.text
    kind = part.media_type or ""
    if part.data is None or not kind.startswith(("text/", "application/json", "application/xml")):
        raise _unsupported(part, "Cohere takes documents as text alone")
    try:
        return binascii.a2b_base64(part.data).decode()
    except ValueError:
        raise _unsupported(part, "It is not the base64 of UTF-8 text") from None


def _drop_rest(part: Media, losses: Losses) -> None:
    if part.cache is not None:
        losses.drop(part.at, "cache_control")
    losses.drop_extra(part.at, part.extra)


def _unsupported(part: Media, reason: str) -> InvalidRequest:
    return InvalidRequest(
        f"'{part.at}' cannot be sent to this provider. {reason}.",
        code="unsupported_content",
        param=part.at,
    )
