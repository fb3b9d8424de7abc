"""Offsets in a text: the vendor counts bytes of UTF-8, our citations count characters."""

from __future__ import annotations

__all__ = ["Offsets"]


class Offsets:
    """Follows one text as it grows; keeps only the pieces that are not ASCII."""

    __slots__ = ("_odd", "bytes", "characters")

    def __init__(self, text: str = "") -> None:
        self._odd: list[tuple[int, int, str]] = []
        self.bytes = 0
        self.characters = 0
        if text:
            self.add(text)

    def add(self, text: str) -> None:
        """Take a piece of text."""
        size = len(text)
        if not text.isascii():
            self._odd.append((self.bytes, self.characters, text))
            size = len(text.encode("utf-8", "surrogatepass"))
        self.bytes += size
        self.characters += len(text)

    def character(self, byte: int) -> int:
        """Return the offset in characters of an offset in bytes."""
        shift = 0
        for start, character, text in self._odd:
            if byte <= start:
                break
            data = text.encode("utf-8", "surrogatepass")
            if byte < start + len(data):
                return character + len(data[: byte - start].decode("utf-8", "ignore"))
            shift += len(data) - len(text)
        return byte - shift

    def byte(self, character: int) -> int:
        """Return the offset in bytes of an offset in characters."""
        shift = 0
        for _, start, text in self._odd:
            if character <= start:
                break
            within = text[: character - start]
            shift += len(within.encode("utf-8", "surrogatepass")) - len(within)
        return character + shift
