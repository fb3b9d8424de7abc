"""Talking through a provider's steps without a socket."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar

from gomodel_proxy.api import Headers, Shipment, UpstreamError, VendorReply

if TYPE_CHECKING:
    from gomodel_proxy.api import Steps, UpstreamRequest

__all__ = ["shipment", "talk"]

T = TypeVar("T")


def shipment(**more: Any) -> Shipment:
    """Return a shipment that was tried at 1,790,000,000 seconds."""
    known: dict[str, Any] = {
        "number": 0,
        "provider": "up",
        "model": "m",
        "dialect": "openai.chat",
        "mark": "batch_1-0",
        "began": 1_790_000_000_000_000,
    }
    return Shipment(**{**known, **more})


def talk(steps: Steps[T], *replies: Any) -> tuple[T, list[UpstreamRequest]]:
    """Answer the steps in order, and return what they come to and what was asked.

    A reply is JSON, headers (a tuple of pairs), or an `UpstreamError` that is raised.
    """
    asked: list[UpstreamRequest] = []
    left = list(replies)
    try:
        request = next(steps)
        while True:
            asked.append(request)
            reply = left.pop(0)
            if isinstance(reply, UpstreamError):
                request = steps.throw(reply)
            else:
                request = steps.send(_reply(reply))
    except StopIteration as stop:
        assert not left, f"nobody asked for {left}"
        result: T = stop.value
        return result, asked


def _reply(reply: Any) -> VendorReply:
    headers: Headers = reply if isinstance(reply, tuple) else ()
    return VendorReply(200, headers, b"" if headers else json.dumps(reply).encode())
