"""Sources of an answer, read as citations.

ai.google.dev/api/generate-content#GroundingMetadata and #CitationMetadata (2026-11). A support
names a segment of the answer and the chunks, that is sources, it rests on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Raw

from gomodel_proxy.api.chat import Citation

from .nodes import encoded
from .words import DIALECT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .offsets import Offsets

__all__ = ["Found", "cited", "grounded"]


class _Source(msgspec.Struct, rename="camel"):
    uri: str | None = None
    title: str | None = None
    text: str | None = None
    file_search_store: str | None = None


class _Chunk(msgspec.Struct, rename="camel"):
    web: _Source | None = None
    retrieved_context: _Source | None = None
    maps: _Source | None = None
    image: _Source | None = None


class _Segment(msgspec.Struct, rename="camel"):
    part_index: int = 0
    start_index: int = 0
    end_index: int | None = None
    text: str | None = None


class _Support(msgspec.Struct, rename="camel"):
    segment: _Segment = msgspec.field(default_factory=_Segment)
    grounding_chunk_indices: list[int] = []


class _Grounding(msgspec.Struct, rename="camel"):
    grounding_chunks: list[Raw] = []
    grounding_supports: list[_Support] = []


class _Citation(msgspec.Struct, rename="camel"):
    start_index: int | None = None
    end_index: int | None = None
    uri: str | None = None
    title: str | None = None


class _Citations(msgspec.Struct, rename="camel"):
    citations: list[Raw] = []
    citation_sources: list[Raw] = []  # as older models call them


Found = tuple[int, Citation]
"""A citation, and the number of the part that it is of."""

_grounding: Final = msgspec.json.Decoder(_Grounding)
_chunk: Final = msgspec.json.Decoder(_Chunk)
_citations: Final = msgspec.json.Decoder(_Citations)
_citation: Final = msgspec.json.Decoder(_Citation)


def grounded(raw: Raw) -> Iterator[Found]:
    """Yield the citations of ``groundingMetadata``, offsets still in bytes."""
    try:
        found = _grounding.decode(raw)
        sources = [_chunk.decode(chunk) for chunk in found.grounding_chunks]
    except msgspec.DecodeError:
        return
    used: set[int] = set()
    for support in found.grounding_supports:
        for number in support.grounding_chunk_indices:
            if 0 <= number < len(sources):
                used.add(number)
                citation = _of(sources[number], found.grounding_chunks[number])
                citation.start = support.segment.start_index
                citation.end = support.segment.end_index
                yield support.segment.part_index, citation
    for number, source in enumerate(sources):
        if number not in used:
            yield 0, _of(source, found.grounding_chunks[number])


def _of(chunk: _Chunk, raw: Raw) -> Citation:
    source = chunk.web or chunk.retrieved_context or chunk.maps or chunk.image or _Source()
    return Citation(
        url=source.uri,
        title=source.title,
        file_id=None if source.uri else source.file_search_store,
        cited=source.text,
        raw=raw,
        dialect=DIALECT,
    )


def cited(raw: Raw) -> Iterator[Found]:
    """Yield the citations of ``citationMetadata``, offsets still in bytes."""
    try:
        found = _citations.decode(raw)
    except msgspec.DecodeError:
        return
    for one in (*found.citations, *found.citation_sources):
        source = _citation.decode(one)
        chunk = encoded({"web": {"uri": source.uri, "title": source.title}})
        yield (
            0,
            Citation(
                url=source.uri,
                title=source.title,
                start=source.start_index,
                end=source.end_index,
                raw=chunk,
                dialect=DIALECT,
            ),
        )


def in_characters(citation: Citation, offsets: Offsets) -> Citation:
    """Turn a citation's offsets into characters; those beyond the text are no offsets of it."""
    if citation.end is None or citation.end > offsets.bytes:
        citation.start = citation.end = None
        return citation
    citation.start = offsets.character(citation.start or 0)
    citation.end = offsets.character(citation.end)
    return citation


class Sources:
    """Gathers citations on their way to a caller of this dialect, as ``groundingMetadata``."""

    def __init__(self) -> None:
        self._chunks: dict[bytes, int] = {}
        self._supports: list[dict[str, object]] = []

    def add(self, citation: Citation, part: int, offsets: Offsets, text: str | None) -> None:
        """Take a citation of a part; ``text`` is the part's, where it is known."""
        chunk = _written(citation)
        number = self._chunks.setdefault(bytes(chunk), len(self._chunks))
        if citation.start is None and citation.end is None:
            return
        start = citation.start or 0
        end = offsets.characters if citation.end is None else citation.end
        segment: dict[str, object] = {
            "startIndex": offsets.byte(start),
            "endIndex": offsets.byte(end),
        }
        if part:
            segment["partIndex"] = part
        if text is not None:
            segment["text"] = text[start:end]
        self._supports.append({"segment": segment, "groundingChunkIndices": [number]})

    def written(self) -> dict[str, object] | None:
        """Return the metadata, None if there was no citation."""
        if not self._chunks:
            return None
        out: dict[str, object] = {"groundingChunks": [Raw(chunk) for chunk in self._chunks]}
        if self._supports:
            out["groundingSupports"] = self._supports
        return out


def _written(citation: Citation) -> Raw:
    if citation.raw is not None and citation.dialect == DIALECT:
        return citation.raw
    if citation.url is not None:
        return encoded({"web": _known(uri=citation.url, title=citation.title)})
    source = _known(uri=citation.file_id, title=citation.title, text=citation.cited)
    return encoded({"retrievedContext": source})


def _known(**members: str | None) -> dict[str, str]:
    return {name: value for name, value in members.items() if value is not None}


def placed(found: Sequence[Found], texts: Sequence[str | None]) -> Iterator[Found]:
    """Yield each citation with the part it is of: the one named, else the first text."""
    first = next((number for number, text in enumerate(texts) if text is not None), None)
    for number, citation in found:
        named = number < len(texts) and texts[number] is not None
        if named or first is not None:
            yield (number if named else first or 0), citation
