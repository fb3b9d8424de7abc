"""Spoiling: replies that are wrong in themselves, however they are delivered."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

import msgspec

from . import http1, replies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .faults import Faults
    from .replies import Reply, Request

__all__ = ["spoil"]

_KINDS: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "invalid_request_error",
    429: "rate_limit_error",
    503: "service_unavailable_error",
}
_HTML: Final = b"<!DOCTYPE html><html><body><h1>It works</h1></body></html>\n"
_MALFORMED: Final = b'data: {"id":"chatcmpl-broken","choices":[{"index":0,"delta"\n\n'


def spoil(request: Request, faults: Faults, make: Callable[[], Reply]) -> Reply:
    """Return the reply that ``make`` makes, or what the faults put in its place.

    ``make`` may raise; then its error is the answer, as a vendor checks first.
    """
    reply = make()
    if faults.status or (faults.echo_key and not faults.errorchunk):
        reply = _refusal(request, faults)
    elif faults.html:
        reply = replies.Reply(headers=(("content-type", "text/html"),), body=(_HTML,))
    elif faults.empty:
        reply = msgspec.structs.replace(reply, body=(), usage=None)
    elif faults.errorchunk or faults.malformed:
        body = _broken(request, faults, reply)
        reply = msgspec.structs.replace(reply, body=body, usage=None)
    return msgspec.structs.replace(reply, faults=faults)


def _refusal(request: Request, faults: Faults) -> Reply:
    status = faults.status or 401
    phrase = http1.REASONS.get(status, "Error")
    kind = _KINDS.get(status, "server_error" if status >= 500 else "invalid_request_error")
    message = _message(request, faults, f"Sandbox fault: {phrase}.")
    code = phrase.lower().replace(" ", "_").replace("-", "_")
    reply = replies.json(replies.envelope(message, kind=kind, code=code), status=status)
    if faults.retry_after is None:
        return reply
    headers = (*reply.headers, ("retry-after", faults.retry_after))
    return msgspec.structs.replace(reply, headers=headers)


def _message(request: Request, faults: Faults, message: str) -> str:
    if not faults.echo_key:
        return message
    key = request.headers.get("authorization") or request.headers.get("x-api-key", "")
    return f"{message} Incorrect API key provided: {key}"


def _broken(request: Request, faults: Faults, reply: Reply) -> Iterable[bytes]:
    if faults.errorchunk:
        message = _message(request, faults, "Sandbox fault: the server had an error.")
        error = replies.envelope(message, kind="server_error", code="server_error")
        if not reply.streamed:
            return (msgspec.json.encode(error),)
        if request.path != "/v1/responses":
            return _until(reply, replies.sse(error))
        # Numbered as the event it stands in place of.
        event = {"type": "error", "sequence_number": reply.middle, "param": None}
        event |= {"code": "server_error", "message": message}
        return _until(reply, replies.sse(event, "error"))
    if reply.streamed:
        return _between(reply, _MALFORMED)
    body = b"".join(reply.body)
    return (body[: len(body) // 2],)


def _until(reply: Reply, last: bytes) -> Iterator[bytes]:
    yield from islice(reply.body, reply.middle)
    yield last


def _between(reply: Reply, extra: bytes) -> Iterator[bytes]:
    events = iter(reply.body)
    yield from islice(events, reply.middle)
    yield extra
    yield from events
