"""The usual way to write a proxy: ``web.Application``, ``ClientSession``, and nothing else.

Run as ``python -m bench.baseline PORT JSON_ORIGIN STREAM_ORIGIN``.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from aiohttp import ClientSession, ClientTimeout, TCPConnector, web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SESSION = web.AppKey("session", ClientSession)
HOP_BY_HOP = {"connection", "content-length", "host", "keep-alive", "transfer-encoding"}


async def forward(request: web.Request) -> web.StreamResponse:
    """Pass a request on, and its reply back."""
    body = await request.read()
    origin = sys.argv[3] if b'"stream": true' in body else sys.argv[2]
    headers = {k: v for k, v in request.headers.items() if k.lower() not in HOP_BY_HOP}
    session = request.app[SESSION]
    async with session.post(origin + request.path, data=body, headers=headers) as reply:
        kept = {k: v for k, v in reply.headers.items() if k.lower() not in HOP_BY_HOP}
        if reply.content_type != "text/event-stream":
            return web.Response(status=reply.status, headers=kept, body=await reply.read())
        response = web.StreamResponse(status=reply.status, headers=kept)
        await response.prepare(request)
        async for data in reply.content.iter_any():
            await response.write(data)
        return response


async def sending(app: web.Application) -> AsyncIterator[None]:
    """Keep one session for the application's life; no limit, or stream 101 waits for ever."""
    connector = TCPConnector(limit=0)
    timeout = ClientTimeout(total=None)
    async with ClientSession(connector=connector, timeout=timeout) as session:
        app[SESSION] = session
        yield


def main() -> None:
    """Serve until killed."""
    app = web.Application()
    app.cleanup_ctx.append(sending)
    app.router.add_post("/{path:.*}", forward)
    web.run_app(
        app,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        access_log=None,
        print=None,
        handler_cancellation=True,
        backlog=4096,
    )


if __name__ == "__main__":
    main()
