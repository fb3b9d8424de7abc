"""Citations: platform.claude.com/docs/en/build-with-claude/citations (2026-11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gomodel_proxy.api.chat import Citation
from gomodel_proxy.wire.members import Members

from .names import DIALECT

if TYPE_CHECKING:
    from msgspec import Raw

__all__ = ["read_citation", "write_citation"]


def read_citation(raw: Raw, at: str = "") -> Citation:
    """Return a citation; its offsets are in the source and not in the text, so they stay raw."""
    found = Members(raw, at)
    source = found.text("source")
    return Citation(
        url=found.text("url") or (source if source and "://" in source else None),
        title=found.text("title") or found.text("document_title"),
        file_id=found.text("file_id"),
        cited=found.text("cited_text"),
        raw=raw,
        dialect=DIALECT,
        at=at,
    )


def write_citation(citation: Citation, text: str) -> Any:
    """Return a citation of ``text``, None where Anthropic has no words for it.

    One of a URL becomes a web search's, with nothing in the index that only a search fills.
    """
    if citation.dialect == DIALECT and citation.raw is not None:
        return citation.raw
    if citation.url is None:
        return None
    cited = citation.cited
    if cited is None:
        cited = text[citation.start or 0 : citation.end or 0]
    return {
        "type": "web_search_result_location",
        "url": citation.url,
        "title": citation.title,
        "cited_text": cited,
        "encrypted_index": "",
    }
