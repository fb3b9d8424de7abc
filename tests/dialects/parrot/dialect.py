"""``parrot.talk``: how its requests, replies, streams and errors look."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gomodel_proxy.api import UpstreamError
from gomodel_proxy.wire import json, sse
from gomodel_proxy.wire.openai_reply import name_provider, read_reply
from gomodel_proxy.wire.openai_request import read_request
from gomodel_proxy.wire.openai_stream import STRICT, StreamMeter

from .codec import TalkCodec, decode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gomodel_proxy.api import Fields, GatewayError, Meter, Usage


class Talk:
    """What was said in, words out; a `Dialect`."""

    name = "parrot.talk"
    operation = "chat"
    paths = ("/parrot/talk",)
    headers: frozenset[str] = frozenset()
    codec = TalkCodec()

    def read(self, body: bytes, path: Mapping[str, str]) -> Fields:
        """Check and decode a request body."""
        return read_request(body, json.fields(body))

    def usage(self, body: bytes) -> Usage | None:
        """Return the usage in a whole reply."""
        return decode(body).usage

    def reply(self, body: bytes, provider: str) -> tuple[bytes, Usage | None, Sequence[str]]:
        """Check a whole reply and name its provider."""
        reply = read_reply(body)
        if "why" not in reply:
            raise UpstreamError("The parrot says nothing.", code="invalid_reply")
        return name_provider(body, reply, provider), self.usage(body), ()

    def meter(self, *, hide_usage: bool) -> Meter:
        """Return the watcher of one stream."""
        return TalkMeter()

    def error(self, error: GatewayError) -> bytes:
        """Return an error as a JSON body."""
        return json.encode({"oops": error.message})

    def stream_error(self, error: GatewayError) -> bytes:
        """Return an error as the last event of a stream."""
        return sse.event(self.error(error))


class TalkMeter(StreamMeter):
    """Watches one stream, which is complete with a reason."""

    def __init__(self) -> None:
        super().__init__()
        self._usage: Usage | None = None
        self._complete = False

    def usage(self) -> Usage | None:
        """Return the usage of the last event."""
        return self._usage

    def _take(self, name: bytes, data: bytes) -> bool:
        try:
            talked = decode(data)
        except STRICT:
            return self._malformed(data)
        if talked.oops is not None:
            self.error, self.reported = talked.oops, True
        self.events += bool(talked.words)
        self._complete = self._complete or talked.why is not None
        self._usage = talked.usage or self._usage
        return True

    def _ending(self, framed: bool) -> tuple[bytes, bool]:
        return b"", self._complete
