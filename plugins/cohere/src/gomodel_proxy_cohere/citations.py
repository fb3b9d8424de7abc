"""Citations: docs.cohere.com/docs/rag-citations (2026-11).

The vendor's name a stretch of the answer and all of its sources, each of ours one source.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Raw

from gomodel_proxy.api.chat import Citation

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["DIALECT", "Cited", "decode_citation", "read_citations"]

DIALECT: Final = "cohere.chat"
_BODIES: Final = ("text", "snippet", "content", "result")
"""Where documents and results of tools, whose members are the caller's own, have their text."""


class _Source(msgspec.Struct):
    type: str = ""
    id: str | None = None
    document: dict[str, Any] | None = None
    tool_output: dict[str, Any] | None = None


class Cited(msgspec.Struct):
    """The vendor's citation, as far as it is read."""

    start: int | None = None
    end: int | None = None
    sources: list[_Source] = []
    content_index: int | None = None
    type: str = "TEXT_CONTENT"


_decode: Final = msgspec.json.Decoder(Cited).decode


def decode_citation(raw: Raw) -> Cited:
    """Return a citation; one of a form that is not known says nothing, and stays as it came."""
    try:
        return _decode(raw)
    except msgspec.ValidationError:
        return Cited()


def read_citations(raw: Raw, cited: Cited) -> Iterator[Citation]:
    """Give a citation for each source, or one without any."""
    for source in cited.sources or (_Source(),):
        about = source.document or source.tool_output or {}
        yield Citation(
            url=_text(about, "url"),
            title=_text(about, "title"),
            file_id=source.id,
            cited=_body(about),
            start=cited.start,
            end=cited.end,
            raw=raw,
            dialect=DIALECT,
        )


def _text(about: dict[str, Any], name: str) -> str | None:
    value = about.get(name)
    return value if isinstance(value, str) else None


def _body(about: dict[str, Any]) -> str | None:
    return next((text for name in _BODIES if (text := _text(about, name)) is not None), None)
