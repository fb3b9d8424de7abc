"""A gateway before a scripted Bedrock, and the vendor's own words in its framing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from gomodel_proxy.testing.scripted import Upstream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from gomodel_proxy.testing.served import Served

EVENT_STREAM = "application/vnd.amazon.eventstream"
KEY = "bedrock-api-key-canary"


def reply(
    body: bytes,
    content_type: str = "application/json",
    status: int = 200,
    *,
    headers: tuple[str, ...] = (),
    chunked: bool = False,
) -> bytes:
    """Return an HTTP reply; ``chunked`` leaves out the last chunk's end for the test to send."""
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Type: {content_type}", *headers]
    if chunked:
        lines.append("Transfer-Encoding: chunked")
        return "\r\n".join([*lines, "", ""]).encode() + b"%x\r\n%b\r\n" % (len(body), body)
    lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


class Bed:
    """The gateway and its upstream."""

    def __init__(self, served: Served, upstream: Upstream) -> None:
        self.served = served
        self.upstream = upstream
        self.url = served.url


@pytest.fixture
async def bed(
    served: Callable[..., Awaitable[Served]],
) -> AsyncIterator[Callable[..., Awaitable[Bed]]]:
    upstream = Upstream()

    async def make(**settings: Any) -> Bed:
        account = {"type": "bedrock", "base_url": upstream.url.removesuffix("/v1/chat"), **settings}
        if "access_key_id" not in account:
            account["api_key"] = KEY
        config = {"upstream": {"retries": 0}, "providers": {"up": account}}
        return Bed(await served(config), upstream)

    yield make
    upstream.close()


def sent_json(request: bytes) -> Any:
    """Return the body of a request that the upstream read."""
    return json.loads(request.partition(b"\r\n\r\n")[2])
