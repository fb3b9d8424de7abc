"""Codecs: how a dialect of ``chat`` is read into the neutral model and written from it. Pure.

N dialects need N codecs: the core joins any two of them. A dialect that brings one sets its
``codec``; a folder with a codec is all a new dialect takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .chat import ChatReply, ChatRequest, StreamEvent

__all__ = ["Codec", "EventReader", "EventWriter", "Losses"]


class Losses:
    """Collects what a translation could not keep, in the caller's names and in order."""

    __slots__ = ("_found",)

    def __init__(self) -> None:
        self._found: dict[str, None] = {}

    def drop(self, place: str, name: str = "") -> None:
        """Note a member that could not come along: ``messages[1].name``."""
        self._found[f"{place}.{name}" if place and name else place or name] = None

    def change(self, place: str, was: object, now: object) -> None:
        """Note a value that had to be changed: ``reasoning.budget(15000>10000)``."""
        self._found[f"{place}({was}>{now})"] = None

    def drop_extra(self, place: str, extra: Iterable[str]) -> None:
        """Note every member of an ``extra`` map that the target has no word for."""
        for name in extra:
            self.drop(place, name)

    @property
    def found(self) -> tuple[str, ...]:
        """Everything noted."""
        return tuple(self._found)


class EventReader(Protocol):
    """Reads one stream of the dialect; fed whole events only, in pieces of any number of them."""

    def feed(self, data: bytes) -> Sequence[StreamEvent]:
        """Return the neutral events of these bytes; raises ValueError for what makes no sense."""

    def close(self) -> Sequence[StreamEvent]:
        """Return what the end itself says; called only after a proper end."""


class EventWriter(Protocol):
    """Writes one stream of the dialect, in its own order of events, complete with ids."""

    def write(self, events: Sequence[StreamEvent]) -> bytes:
        """Return the bytes of these events."""

    def close(self) -> bytes:
        """Return the bytes that end the stream properly."""


class Codec(Protocol):
    """Reads and writes requests, replies and streams of one dialect.

    Readers keep every member: what has no place in the model goes into ``extra``. Writers note in
    ``losses`` whatever they cannot write, in the caller's names; they never raise for that.

    ``traits`` is what the provider says of this family of models, data under keys that the codec
    documents (``max_tokens_member``, ``fixed_sampling``, …); unknown keys are ignored.

    A dialect whose vendor does not fetch media by itself says so in one more member, ``remote``: a
    frozenset of the kinds of `Media` that it takes as a web address, all of them without it. The
    gateway fetches the others before they are written.
    """

    def read_request(self, body: bytes) -> ChatRequest:
        """Return a caller's request; raises `InvalidRequest` naming the member at fault."""

    def write_request(
        self, request: ChatRequest, *, traits: Mapping[str, Any], losses: Losses
    ) -> bytes:
        """Return the body for a provider. ``request.model`` is the provider's name for it.

        Raises `InvalidRequest`, naming the member, for what the dialect must refuse outright.
        """

    def read_reply(self, body: bytes, *, traits: Mapping[str, Any]) -> ChatReply:
        """Return a provider's whole reply; raises ValueError if it is none."""

    def write_reply(self, reply: ChatReply, request: ChatRequest, *, losses: Losses) -> bytes:
        """Return a whole reply for the caller who sent ``request``."""

    def reader(self, *, traits: Mapping[str, Any]) -> EventReader:
        """Return the reader of one stream from a provider."""

    def writer(self, request: ChatRequest, *, losses: Losses) -> EventWriter:
        """Return the writer of one stream to the caller who sent ``request``."""
