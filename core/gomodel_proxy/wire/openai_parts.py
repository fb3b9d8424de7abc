"""Content as OpenAI's dialects have it: one text, or parts that each name their type.

platform.openai.com/docs/api-reference (2026-11). Which types there are, each dialect says itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.api.chat import Part, Text

from .members import Members, elements, place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["read_parts", "unknown_role"]

_QUOTE = ord('"')


def read_parts(
    members: Members, name: str, readers: Mapping[str, Callable[[Members], Part]]
) -> list[Part]:
    """Take content; ``readers`` are those of the dialect's parts, by type."""
    raw = members.raw(name)
    if raw is None:
        return []
    at = members.place(name)
    if memoryview(raw)[0] == _QUOTE:
        return [Text(msgspec.json.decode(raw, type=str), at=at)]
    return [
        _read_part(Members(element, place(at, number)), readers)
        for number, element in enumerate(elements(raw, at))
    ]


def _read_part(part: Members, readers: Mapping[str, Callable[[Members], Part]]) -> Part:
    kind = part.needed("type")
    reader = readers.get(kind)
    if reader is None:
        raise InvalidRequest(
            f"'{part.at}' has the unknown type '{kind}'; it takes {', '.join(readers)}.",
            code="invalid_value",
            param=part.at,
        )
    found = reader(part)
    found.extra = {**found.extra, **part.extra}
    return found


def unknown_role(members: Members, role: str, known: Iterable[str]) -> InvalidRequest:
    """Return the refusal of a message by somebody that the dialect does not know."""
    at = members.place("role")
    return InvalidRequest(
        f"'{at}' is '{role}'; it takes {', '.join(known)}.", code="invalid_value", param=at
    )
