"""Ids of tool calls, which the vendor may leave out.

What is made up depends on place and name alone, so that reading twice gives the same. It fits the
narrowest rule of other vendors: 40 characters of letters, digits, ``_`` and ``-``.
"""

from __future__ import annotations

import hashlib

__all__ = ["CallIds", "made_up"]


def made_up(*places: object) -> str:
    """Return an id for what stands at these places."""
    digest = hashlib.blake2b("\0".join(map(str, places)).encode(), digest_size=12)
    return f"call_{digest.hexdigest()}"


class CallIds:
    """The calls of one conversation, in order; pairs results without an id by their name."""

    def __init__(self) -> None:
        self._open: list[tuple[str, str]] = []

    def call(self, name: str, id_: str | None, at: str) -> str:
        """Return the id of a call."""
        known = id_ or made_up(at, name)
        self._open.append((known, name))
        return known

    def result(self, name: str, id_: str | None, at: str) -> str:
        """Return the id of the call that a result belongs to: the first open one of that name."""
        for number, (known, called) in enumerate(self._open):
            if known == id_ or (not id_ and called == name):
                del self._open[number]
                return known
        return id_ or made_up(at, name)
