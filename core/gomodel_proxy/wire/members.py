"""A JSON object's members, taken one by one; what nobody takes is extra.

For codecs: each taking checks the type and names the place in the error, and null counts as absent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Raw

from gomodel_proxy.api import InvalidRequest

from .json import wrong_type

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gomodel_proxy.api.chat import Extra

__all__ = ["Members", "elements", "place"]

_NULL: Final = Raw(b"null")
_QUOTE: Final = ord('"')
_object: Final = msgspec.json.Decoder(dict[str, Raw])
_array: Final = msgspec.json.Decoder(list[Raw])
_text: Final = msgspec.json.Decoder(str)
_integer: Final = msgspec.json.Decoder(int)
_number: Final = msgspec.json.Decoder(float)
_boolean: Final = msgspec.json.Decoder(bool)


def place(at: str, name: str | int) -> str:
    """Return the place of a member or an element: ``messages[3].content``."""
    if isinstance(name, int):
        return f"{at}[{name}]"
    return f"{at}.{name}" if at else name


def elements(raw: Raw, at: str) -> list[Raw]:
    """Return an array's elements; raises `InvalidRequest`."""
    found: list[Raw] = _decoded(_array, raw, at, "an array")
    return found


def _decoded(decoder: Any, raw: Raw, at: str, expected: str) -> Any:
    try:
        return decoder.decode(raw)
    except msgspec.DecodeError:
        raise wrong_type(at, expected, raw) from None


class Members:
    """The members of one object at ``at``. ``rest`` is what has not been taken."""

    __slots__ = ("at", "rest")

    def __init__(self, raw: Raw | bytes, at: str = "") -> None:
        self.at = at
        self.rest: Extra = _decoded(_object, Raw(raw), at or "the body", "an object")

    def place(self, name: str | int) -> str:
        """Return the place of a member."""
        return place(self.at, name)

    def raw(self, name: str) -> Raw | None:
        """Take a member of any type."""
        found = self.rest.pop(name, None)
        return None if found is None or found == _NULL else found

    @property
    def extra(self) -> Extra:
        """What has not been taken and says anything: null counts as absent."""
        return {name: raw for name, raw in self.rest.items() if raw != _NULL}

    def extra_in(self, name: str) -> Extra:
        """Return `extra` under dotted names, for the node that this object is ``name`` of."""
        return {f"{name}.{inner}": raw for inner, raw in self.extra.items()}

    def _take(self, name: str, decoder: Any, expected: str) -> Any:
        raw = self.raw(name)
        return None if raw is None else _decoded(decoder, raw, self.place(name), expected)

    def text(self, name: str) -> str | None:
        """Take a string."""
        found: str | None = self._take(name, _text, "a string")
        return found

    def needed(self, name: str) -> str:
        """Take a string that must be there."""
        found = self.text(name)
        if found is None:
            at = self.place(name)
            raise InvalidRequest(f"'{at}' is missing.", code="missing_parameter", param=at)
        return found

    def integer(self, name: str) -> int | None:
        """Take a whole number."""
        found: int | None = self._take(name, _integer, "a whole number")
        return found

    def number(self, name: str) -> float | None:
        """Take a number."""
        found: float | None = self._take(name, _number, "a number")
        return found

    def boolean(self, name: str) -> bool | None:
        """Take a boolean."""
        found: bool | None = self._take(name, _boolean, "a boolean")
        return found

    def members(self, name: str) -> Members | None:
        """Take an object."""
        raw = self.raw(name)
        return None if raw is None else Members(raw, self.place(name))

    def array(self, name: str) -> list[Raw] | None:
        """Take an array."""
        raw = self.raw(name)
        return None if raw is None else elements(raw, self.place(name))

    def texts(self, name: str) -> list[str] | None:
        """Take an array of strings, or one string."""
        raw = self.raw(name)
        if raw is None:
            return None
        if memoryview(raw)[0] == _QUOTE:
            return [_decoded(_text, raw, self.place(name), "a string")]
        at = self.place(name)
        return [
            _decoded(_text, element, place(at, number), "a string")
            for number, element in enumerate(elements(raw, at))
        ]

    def objects(self, name: str) -> Iterator[Members]:
        """Take an array of objects, one after the other; none if the member is absent."""
        at = self.place(name)
        for number, element in enumerate(self.array(name) or ()):
            yield Members(element, place(at, number))
