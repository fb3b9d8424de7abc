"""Objects of the dialect, whose members may be spelt in camelCase or in snake_case.

protobuf.dev/programming-guides/json: a parser takes both the lowerCamelCase name of a field and its
original name. A lone object where a list is due is taken too, as the vendor does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Raw

from gomodel_proxy.wire.members import Members, place

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Node", "camel", "encoded"]


def camel(name: str) -> str:
    """Return a member's camelCase name."""
    first, *rest = name.strip("_").split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


def encoded(value: object) -> Raw:
    """Return a value as JSON."""
    return Raw(msgspec.json.encode(value))


class Node(Members):
    """The members of one object, by camelCase name; places are in the caller's spelling."""

    __slots__ = ("_spelt",)

    def __init__(self, raw: Raw | bytes, at: str = "") -> None:
        super().__init__(raw, at)
        self._spelt: dict[str, str] = {}
        for name in [name for name in self.rest if "_" in name]:
            right = camel(name)
            if right not in self.rest:
                self._spelt[right] = name
                self.rest[right] = self.rest.pop(name)

    def place(self, name: str | int) -> str:
        """Return the place of a member."""
        return super().place(self._spelt.get(name, name) if isinstance(name, str) else name)

    def node(self, name: str) -> Node | None:
        """Take an object."""
        raw = self.raw(name)
        return None if raw is None else Node(raw, self.place(name))

    def nodes(self, name: str) -> Iterator[Node]:
        """Take a list of objects, or one object."""
        raw = self.rest.get(name)
        if raw is not None and memoryview(raw)[0] == ord("{"):
            yield Node(self.rest.pop(name), self.place(name))
            return
        at = self.place(name)
        for number, element in enumerate(self.array(name) or ()):
            yield Node(element, place(at, number))

    def whole(self, name: str) -> int | None:
        """Take a whole number that may be written with a point (``40.0``)."""
        number = self.number(name)
        return None if number is None else round(number)
