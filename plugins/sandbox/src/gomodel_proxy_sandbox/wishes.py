"""Arguments that the question names: its first whole number, its first quotation."""

from __future__ import annotations

import re
from typing import Any, Final

__all__ = ["arguments"]

_NUMBER: Final = re.compile(r"(?<![\w.])-?\d{1,15}(?![\w.])")
_QUOTED: Final = re.compile(r"""(?<!\w)(?:'([^'\n]{1,200})'|"([^"\n]{1,200})")(?!\w)""")
_BOUNDS: Final = ("exclusiveMinimum", "exclusiveMaximum")
_FREE: Final = frozenset({"type", "title", "description", "default", *_BOUNDS})


def arguments(schema: Any, text: str) -> dict[str, Any]:
    """Return what ``text`` says of the first member of each type that it fits."""
    properties = schema.get("properties") if isinstance(schema, dict) else None
    if not isinstance(properties, dict):
        return {}
    said, found = _said(text), {}
    for name, member in properties.items():
        if isinstance(member, dict) and member.keys() <= _FREE:
            kind = member.get("type")
            if kind in ("integer", "string") and kind in said and _within(member, said[kind]):
                found[name] = said.pop(kind)
    return found


def _said(text: str) -> dict[str, Any]:
    number, quoted = _NUMBER.search(text), _QUOTED.search(text)
    said: dict[str, Any] = {}
    if number is not None:
        said["integer"] = int(number[0])
    if quoted is not None:
        said["string"] = quoted[1] or quoted[2]
    return said


def _within(member: dict[str, Any], value: Any) -> bool:
    low, high = (member.get(name) for name in _BOUNDS)
    return not isinstance(value, int) or (
        (not isinstance(low, int | float) or low < value)
        and (not isinstance(high, int | float) or value < high)
    )
