"""Histories: how a dialect whose callers name earlier turns is read, and its turns kept. Pure.

A dialect that has one says so in a member ``history``. The gateway then keeps the turns that no
vendor keeps, and writes out what a caller only names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

if TYPE_CHECKING:
    from .errors import GatewayError
    from .roles import Stage
    from .stored import StoredItem

__all__ = ["Asked", "History", "Written"]


class Asked(msgspec.Struct, frozen=True):
    """What a request says about turns: the ones it goes on from, and whether to keep this one."""

    previous: str | None = None
    conversation: str | None = None
    keep: bool = True
    background: bool = False


class Written(msgspec.Struct, frozen=True):
    """A request that says all it only named; ``losses`` is what of that could not be said."""

    body: bytes
    losses: tuple[str, ...] = ()


class History(Protocol):
    """The turns of one dialect. Items are JSON objects; stored ones are without their ``id``."""

    @property
    def keeps(self) -> bool:
        """Whether replies of this dialect are turns; False where it only asks about some."""

    def asked(self, body: bytes) -> Asked:
        """Return what a request, which `Dialect.read` took, says about turns."""

    def write(self, body: bytes, before: Sequence[StoredItem], *, native: bool) -> Written:
        """Return the request with the items ``before`` in front of its own, and naming no turns.

        ``native`` says it goes to a vendor of this dialect that never saw those items; without it
        the body is to be translated, and asks for nothing that only the gateway can do.
        """

    def place(self, text: str, before: int) -> str:
        """Return a text with places as the caller counts, who did not write ``before`` items."""

    def input(self, body: bytes, name: Callable[[str], str]) -> Sequence[StoredItem]:
        """Return a request's own items; those without an id get ``name(prefix)``."""

    def output(self, response: bytes, name: Callable[[str], str]) -> Sequence[StoredItem]:
        """Return the items that a response added, named as `input` does."""

    def listed(self, items: Sequence[StoredItem]) -> bytes:
        """Return items as a JSON array, each with its id."""

    def stamp(self, response: bytes, members: Mapping[str, Any]) -> bytes:
        """Return a whole response with these members."""

    def stage(self, members: Mapping[str, Any], seen: Callable[[bytes, bool], None]) -> Stage:
        """Return the stage that stamps a stream, and shows each response object in it.

        ``seen`` gets the object and whether it is the last word.
        """

    def failed(self, response: bytes, error: GatewayError) -> bytes:
        """Return a response that had only begun as one that failed."""
