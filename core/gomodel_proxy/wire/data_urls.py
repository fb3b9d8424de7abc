"""``data:`` URLs (RFC 2397), as dialects use them for media inside a request."""

from __future__ import annotations

__all__ = ["join", "split"]


def split(url: str) -> tuple[str | None, str] | None:
    """Return media type and base64 data, None if this is no base64 ``data:`` URL."""
    if url[:5].lower() != "data:":
        return None
    head, comma, data = url[5:].partition(",")
    kind, *parameters = head.split(";")
    if not comma or "base64" not in (parameter.strip().lower() for parameter in parameters):
        return None
    return kind.strip() or None, data


def join(media_type: str | None, data: str) -> str:
    """Return a ``data:`` URL of base64 data."""
    return f"data:{media_type or 'application/octet-stream'};base64,{data}"
