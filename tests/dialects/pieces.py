"""A vendor's reply in pieces of the test's own, without a socket, and what a caller got of it."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, NamedTuple

from gomodel_proxy.api import UpstreamError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gomodel_proxy.api import Attempt, Exchange, Headers, LedgerRow, Receiver

_MADE = re.compile(rb'(msg_)[0-9a-f]{32}|("created":|ed_at":)\d{10}|("createTime":").{19}')


class Play(NamedTuple):
    """What a vendor sends, and how it then leaves: "framed", "closed" (unframed) or "reset"."""

    pieces: Sequence[bytes]
    leave: str = "framed"


class Got:
    """What a caller got; a `Sink`. ``sizes`` says how much, after each of the vendor's pieces.

    An ``anonymous`` vendor's replies have no id and no date, so that these are made anew for each.
    """

    def __init__(self, play: Play, *, anonymous: bool) -> None:
        self.play = play
        self.anonymous = anonymous
        self.status = 0
        self.streamed = False
        self.ended = False
        self.pieces: list[bytes] = []
        self.size = 0
        self.sizes: list[int] = []
        self.faults: list[Exception] = []
        self.row: LedgerRow

    @property
    def started(self) -> bool:
        return self.status > 0

    @property
    def body(self) -> bytes:
        """All of it, with ones for what was made anew."""
        body = b"".join(self.pieces)
        return _MADE.sub(_ones, body) if self.anonymous else body

    @property
    def attempt(self) -> Attempt:
        (attempt,) = self.row.attempts
        return attempt

    def reply(self, status: int, headers: Headers, body: bytes) -> None:
        assert not self.started, "two answers"
        self.status, self.pieces, self.ended = status, [body], True

    def start(self, status: int, headers: Headers) -> None:
        assert not self.started, "two answers"
        self.status, self.streamed = status, True

    def write(self, data: bytes) -> None:
        assert self.streamed, "written before the start"
        assert not self.ended, "written after the end"
        self.pieces.append(data)
        self.size += len(data)

    def end(self) -> None:
        assert self.streamed, "an end without a start"
        assert not self.ended, "two ends"
        self.ended = True

    def throttle(self, exchange: Exchange | None) -> None:
        pass


def _ones(made: re.Match[bytes]) -> bytes:
    name = made[made.lastindex or 0]
    return name + b"1" * (len(made[0]) - len(name))


class Playing:
    """Plays a reply in the next turn of the loop; an `Exchange`."""

    def __init__(self, got: Got, content_type: str, receiver: Receiver) -> None:
        self._got = got
        self._content_type = content_type
        self._receiver = receiver
        self._closed = False
        asyncio.get_running_loop().call_soon(self._begin)

    def _begin(self) -> None:
        try:
            self._play()
        except Exception as error:
            self._got.faults.append(error)
            self._receiver.failed(UpstreamError("The answer could not be processed."))

    def _play(self) -> None:
        receiver, got = self._receiver, self._got
        receiver.head(200, (("content-type", self._content_type),))
        for piece in got.play.pieces:
            if not self._closed:
                receiver.data(piece)
            got.sizes.append(got.size)
        if self._closed:
            return
        if got.play.leave == "reset":
            receiver.failed(UpstreamError("The connection was closed within the answer."))
        else:
            receiver.end(got.play.leave == "framed")

    def close(self) -> None:
        self._closed = True

    def pause(self) -> None:
        raise AssertionError("a caller that takes all there is makes nobody pause")

    resume = pause
