"""The half of a codec that a dialect has no use for, in which only a vendor is spoken to."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from gomodel_proxy.api import EventWriter, Losses
    from gomodel_proxy.api.chat import ChatReply, ChatRequest

__all__ = ["Uncalled"]


class Uncalled:
    """What to build the `Codec` of a dialect without paths on: nobody calls the gateway in it."""

    def read_request(self, body: bytes) -> ChatRequest:
        """Raise: there is no caller."""
        self._refuse()

    def write_reply(self, reply: ChatReply, request: ChatRequest, *, losses: Losses) -> bytes:
        """Raise: there is no caller."""
        self._refuse()

    def writer(self, request: ChatRequest, *, losses: Losses) -> EventWriter:
        """Raise: there is no caller."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise NotImplementedError(f"{type(self).__name__} is for a dialect that nobody calls in")
