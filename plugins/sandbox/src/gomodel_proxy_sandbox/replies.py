"""Replies: what the sandbox answers over HTTP, and the shapes that all dialects share."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from gomodel_proxy.api import Headers, InvalidRequest

from .faults import Faults

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gomodel_proxy.api import GatewayError

__all__ = ["DONE", "Prompt", "Reply", "Request", "envelope", "error", "json", "sse", "stream"]

T = TypeVar("T")

DONE = b"data: [DONE]\n\n"

_NO_FAULTS = Faults()
_EPOCH = 1_700_000_000  # what `created` counts from
_YEAR = 31_536_000


class Request(msgspec.Struct, frozen=True):
    """One HTTP request; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str] = {}
    body: bytes = b""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP answer: a body in one part, or the events of a stream as they are made.

    ``usage`` is the object that the whole body reports; ``middle`` the number of events after
    which half of the content is out.
    """

    status: int = 200
    headers: Headers = ()
    body: Iterable[bytes] = ()
    streamed: bool = False
    usage: dict[str, Any] | None = None
    middle: int = 0
    faults: Faults = _NO_FAULTS


class Prompt:
    """A request body on its way to a reply: its members, its seed and its faults.

    The seed leaves out what must not change the answer: streaming, and the faults in the name.
    """

    def __init__(self, members: dict[str, Any], model: str, faults: Faults) -> None:
        telling = {**members, "model": model}
        for name in ("stream", "stream_options", "encoding_format"):
            telling.pop(name, None)
        text = msgspec.json.encode(telling, order="deterministic")
        self.seed = blake2b(text, digest_size=16).digest()
        self.members = members
        self.model = model
        self.faults = faults

    @property
    def created(self) -> int:
        """Epoch seconds, made up from the seed."""
        return _EPOCH + int.from_bytes(self.seed[:4], "big") % _YEAR

    def id(self, prefix: str) -> str:
        """Return an id made up from the seed."""
        return prefix + self.seed.hex()

    def read(self, form: type[T]) -> T:
        """Return the members as a struct; raises `InvalidRequest` naming the wrong one."""
        try:
            return msgspec.convert(self.members, form)
        except (msgspec.ValidationError, RecursionError) as problem:
            text, _, place = str(problem).partition(" - at `$")
            param = place.rstrip("`").lstrip(".") or None
            raise InvalidRequest(text, param=param) from None


def json(value: Any, **more: Any) -> Reply:
    """Return a whole reply."""
    headers = (("content-type", "application/json"),)
    return Reply(headers=headers, body=(msgspec.json.encode(value),), **more)


def stream(events: Iterator[bytes], *, usage: dict[str, Any] | None, middle: int) -> Reply:
    """Return a stream."""
    headers = (("content-type", "text/event-stream; charset=utf-8"), ("cache-control", "no-cache"))
    return Reply(headers=headers, body=events, streamed=True, usage=usage, middle=middle)


def sse(value: Any, event: str | None = None) -> bytes:
    """Return one event."""
    data = b"data: %b\n\n" % msgspec.json.encode(value)
    return b"event: %b\n%b" % (event.encode(), data) if event else data


def envelope(message: str, *, kind: str, code: str | None, param: str | None = None) -> Any:
    """Return OpenAI's error object."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def error(problem: GatewayError) -> Reply:
    """Return what is wrong with a request."""
    shown = envelope(problem.message, kind=problem.kind, code=problem.code, param=problem.param)
    return json(shown, status=problem.status)
