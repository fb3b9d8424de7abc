"""Vendor files that a request names: they belong to someone, and a gateway must ask who."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

from gomodel_proxy.api import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from msgspec import Raw

__all__ = ["find_files"]

# A name may be written with escapes; these are the ones that could spell it.
_ESCAPED: Final = re.compile(rb"\\u00(?:5[fF]|6[4569cC]|73)")
_READ: Final = ("messages", "input", "prompt", "tools")
_QUOTED: Final = frozenset({"annotations", "metadata", "parameters", "results", "schema"})
"""Members that tell about files, or hold the caller's own data: nothing is read through them."""


def find_files(body: bytes, members: dict[str, Raw]) -> tuple[tuple[str, str], ...]:
    """Return ``("file", id)`` for each file that is given to the model or to a tool, once.

    Raises `InvalidRequest` where a member cannot be read, for then nobody knows what it names.
    """
    if b'"file_id' not in body and (b"\\u00" not in body or _ESCAPED.search(body) is None):
        return ()
    found = [
        ("file", name)
        for member in _READ
        if member in members
        for name in _files(_decoded(member, members[member]))
    ]
    return tuple(dict.fromkeys(found))


def _decoded(member: str, raw: Raw) -> Any:
    try:
        return msgspec.json.decode(raw)
    except msgspec.DecodeError as error:  # such as a number that no machine can hold
        raise InvalidRequest(
            f"'{member}' cannot be read: {error}.", code="invalid_value", param=member
        ) from None


def _files(root: Any) -> Iterator[str]:
    waiting = [root]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += reversed(value)
        elif isinstance(value, dict):
            yield from _named(value)
            waiting += [inner for name, inner in value.items() if name not in _QUOTED]


def _named(part: dict[str, Any]) -> Iterator[str]:
    file_id, file_ids = part.get("file_id"), part.get("file_ids")
    if isinstance(file_id, str):
        yield file_id
    if isinstance(file_ids, list):
        yield from (name for name in file_ids if isinstance(name, str))
