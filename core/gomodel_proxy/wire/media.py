"""The media of a request, wherever they stand in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.api.chat import Media, ToolResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gomodel_proxy.api.chat import ChatRequest, Part

__all__ = ["find_media", "refuse_large_images"]


def find_media(request: ChatRequest) -> Iterator[Media]:
    """Give every medium, those in results of tools as well."""
    for message in request.messages:
        yield from _within(message.parts)


def _within(parts: Iterable[Part]) -> Iterator[Media]:
    for part in parts:
        if isinstance(part, Media):
            yield part
        elif isinstance(part, ToolResult):
            yield from _within(part.parts)


def refuse_large_images(request: ChatRequest, limit: int) -> None:
    """Raise `InvalidRequest` that names the first image of more than ``limit`` bytes."""
    for media in find_media(request):
        if media.kind == "image" and media.data is not None:
            size = _size(media.data)
            if size > limit:
                raise InvalidRequest(
                    f"'{media.at}' is an image of {size} bytes; this model takes up to {limit}.",
                    code="image_too_large",
                    param=media.at,
                )


def _size(data: str) -> int:
    """Return how many bytes base64 stands for."""
    return len(data) * 3 // 4 - data.count("=", -2)
