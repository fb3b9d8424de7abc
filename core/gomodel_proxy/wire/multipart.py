"""Forms with a file in them, as uploads are sent: RFC 7578 (July 2015)."""

from __future__ import annotations

from secrets import token_hex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["form"]


def form(
    fields: Mapping[str, str], name: str, content: bytes, kind: str = "application/jsonl"
) -> tuple[str, bytes]:
    """Return the ``Content-Type`` and the body of a form whose member ``file`` is a file.

    The boundary is random, so that no content can hold it. ``name`` and fields are our own words.
    """
    boundary = token_hex(16)
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'
        for field, value in fields.items()
    ]
    parts.append(
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        f"Content-Type: {kind}\r\n\r\n"
    )
    body = b"".join(("".join(parts).encode(), content, f"\r\n--{boundary}--\r\n".encode()))
    return f"multipart/form-data; boundary={boundary}", body
