"""What no well-behaved server would send, byte by byte: a clear error, one row, nothing twice.

What a whole process does, such as to refuse, stall or break off, is in `test_hostile_upstreams`.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from gomodel_proxy.testing.client import Client, Reply, post
from gomodel_proxy.testing.lines import Asked, Line, LineServer
from gomodel_proxy.testing.served import Served

from .conftest import CHAT, KEY, RESPONSES, asking, over, row_of
from .scripts import read_events
from .test_disconnects import full

if TYPE_CHECKING:
    from pathlib import Path

    from gomodel_proxy.http.gateway import Gateway

Serve = Callable[..., Awaitable[Served]]

WHOLE = json.dumps(
    {
        "id": "c-1",
        "choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 1},
    }
).encode()
DELTA = {"index": 0, "delta": {"content": "Hi"}, "finish_reason": None}
FIRST = b"data: %b\n\n" % json.dumps({"choices": [DELTA]}).encode()


def http(body: bytes, *lines: str, status: str = "200 OK", kind: str = "application/json") -> bytes:
    """Return an answer with a length of its own, unless the lines have one."""
    head = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", *lines]
    if not any(line.startswith(("Content-Length", "Transfer-Encoding")) for line in lines):
        head.append(f"Content-Length: {len(body)}")
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def stream(body: bytes, *lines: str) -> bytes:
    return http(body, *(lines or ("Transfer-Encoding: chunked",)), kind="text/event-stream")


def chunked(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (*pieces, b""))


class Rude:
    """An upstream that answers each request with the bytes its id names, then closes or waits."""

    def __init__(self, answers: Mapping[str, bytes], *, wait: bool = False) -> None:
        self._answers = answers
        self._wait = wait
        self.server = LineServer(self._answer)

    async def _answer(self, line: Line, asked: Asked) -> None:
        await line.send(self._answers[asked.header("x-request-id") or ""])
        if not self._wait:
            line.close()

    def asked(self, name: str) -> int:
        """Return how often a request came."""
        return sum(asked.header("x-request-id") == name for asked in self.server.asked)


async def ask(server: Served, name: str, *, path: str = CHAT, **more: Any) -> Reply:
    body = asking(**more) if path == CHAT else {"model": "m", "input": "Hello", **more}
    client = await Client.to(server.port)
    try:
        return await client.ask(post(path, body, f"X-Request-ID: {name}"))
    finally:
        client.leave()


async def refused(gateway: Gateway, reply: Reply, name: str, status: int = 502) -> dict[str, Any]:
    """Hold an error to its form and to its one row; return it."""
    assert reply.status == status, reply
    assert reply.headers["content-type"] == "application/json"
    error: dict[str, Any] = reply.json()["error"]
    assert {"message", "type", "param", "code"} <= set(error)
    assert error["message"]
    row = await row_of(gateway, name)
    assert (row["status"], row["http_status"]) == ("error", status)
    assert row["error"]
    assert row["attempts"][-1]["error"]
    return error


# ---------------------------------------------------------------- answers that are none

ANY = {
    "redirect": http(WHOLE, "Location: /v2", status="302 Found"),
    "not modified": b"HTTP/1.1 304 Not Modified\r\n\r\n",
    "no content": b"HTTP/1.1 204 No Content\r\n\r\n",
    "switching": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    "too many hints": b"HTTP/1.1 103 Early Hints\r\n\r\n" * 150 + http(WHOLE),
    "huge head": http(WHOLE, *(f"X-{number}: {'x' * 1000}" for number in range(70))),
    "long line": http(WHOLE, "X: " + "x" * 20_000),
    "many lines": http(WHOLE, *(f"X-{number}: x" for number in range(400))),
    "other length": http(WHOLE, "Content-Length: 5", "Content-Length: 6"),
    "no length": http(WHOLE, "Content-Length: many"),
    "too short": http(WHOLE, f"Content-Length: {len(WHOLE) + 1}"),
    "two framings": http(chunked(WHOLE), "Content-Length: 5", "Transfer-Encoding: chunked"),
    "bad chunk": http(b"zz\r\n" + WHOLE, "Transfer-Encoding: chunked"),
    "unknown coding": http(WHOLE, "Content-Encoding: br"),
    "broken gzip": http(b"\x1f\x8b\x08" + WHOLE, "Content-Encoding: gzip"),
    "half gzip": http(gzip.compress(WHOLE)[:-9], "Content-Encoding: gzip"),
    "alert": b"\x15\x03\x01\x00\x02\x02\x16",
    "another protocol": b"SSH-2.0-OpenSSH_9.2\r\n",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-Ty",
    "old http": b"HTTP/0.9 200 OK\r\n\r\n" + WHOLE,
    "html": http(b"<html><body>Sign in</body></html>", kind="text/html"),
    "blank": http(b"  \n"),
    "array": http(b"[]"),
    "half json": http(WHOLE[:-20]),
    "nothing in it": http(b"{}"),
    "no choices": http(b'{"choices": []}'),
}
STREAMED = {
    **{name: ANY[name] for name in ("redirect", "no content", "html", "alert", "too short")},
    "json": http(WHOLE),
    "empty": stream(chunked()),
    "only comments": stream(chunked(b": one\n\n")[:-5]),
    "only the end": stream(chunked(b"data: [DONE]\n\n")),
    "no event": stream(chunked(b"<html>\n\n</html>\n\n")),
    "no object": stream(chunked(b"data: 12\n\n")),
    "half an event": stream(chunked(FIRST[:-12])),
    "broken gzip": stream(b"\x1f\x8b\x08" + FIRST, "Content-Encoding: gzip"),
}


@pytest.mark.parametrize("path", [CHAT, RESPONSES])
async def test_what_is_no_reply_is_a_502(served: Serve, path: str) -> None:
    rude = Rude({name.replace(" ", "-"): answer for name, answer in ANY.items()})
    async with rude.server as upstream:
        server = await served(over(upstream.url))
        for name in rude._answers:
            reply = await ask(server, name, path=path)
            await refused(server.gateway, reply, name)
            assert rude.asked(name) == 1, name


async def test_what_is_no_stream_is_a_502(served: Serve) -> None:
    rude = Rude({name.replace(" ", "-"): answer for name, answer in STREAMED.items()})
    async with rude.server as upstream:
        server = await served(over(upstream.url))
        for name in rude._answers:
            reply = await ask(server, name, stream=True)
            if name == "only-comments":  # they keep connections alive, so they pass at once
                assert json.loads(read_events(reply.body)[-1])["error"]
                assert b"[DONE]" not in reply.body
            else:
                await refused(server.gateway, reply, name)
            assert (await row_of(server.gateway, name))["status"] == "error"
            assert rude.asked(name) == 1, name
        row = await row_of(server.gateway, "json")
        assert row["output_tokens"] == 1, "the reply is of no use, and was paid for"


async def test_a_reply_is_over_where_its_length_says(served: Serve) -> None:
    rude = Rude({"more": http(WHOLE) + b'{"surplus": 1}', "next": http(WHOLE)}, wait=True)
    async with rude.server as upstream:
        server = await served(over(upstream.url))
        for name in ("more", "next"):
            reply = await ask(server, name)
            assert reply.status == 200
            assert b"surplus" not in reply.body
            assert reply.json()["choices"][0]["message"]["content"] == "Hi"


async def test_gzip_nobody_asked_for_is_undone(served: Serve) -> None:
    events = FIRST + b"data: [DONE]\n\n"
    packed = "Content-Encoding: gzip"
    rude = Rude(
        {
            "whole": http(gzip.compress(WHOLE), packed),
            "stream": stream(chunked(gzip.compress(events)), packed, "Transfer-Encoding: chunked"),
        }
    )
    async with rude.server as upstream:
        server = await served(over(upstream.url))
        whole = await ask(server, "whole")
        assert whole.json()["choices"][0]["message"]["content"] == "Hi"
        assert "content-encoding" not in whole.headers
        streamed = await ask(server, "stream", stream=True)
        assert streamed.body == events


# ---------------------------------------------------------------- silence

TIMES = {
    "connect_timeout": "300ms",
    "first_byte_timeout": "300ms",
    "idle_timeout": "300ms",
    "retries": 0,
}


async def test_silence_is_a_504(served: Serve) -> None:
    rude = Rude(
        {
            "at-first": b"",
            "within-head": b"HTTP/1.1 200 OK\r\n",
            "within-reply": http(WHOLE)[:-9],
            "before-events": stream(b""),
            "within-stream": stream(chunked(FIRST)[:-5]),
        },
        wait=True,
    )
    async with rude.server as upstream:
        server = await served(over(upstream.url, upstream=TIMES))
        for name in ("at-first", "within-head", "within-reply", "before-events"):
            reply = await ask(server, name, stream=name == "before-events")
            error = await refused(server.gateway, reply, name, 504)
            assert "0.3s" in error["message"]
        cut = await ask(server, "within-stream", stream=True)
        assert cut.body.startswith(FIRST)
        assert "0.3s" in json.loads(read_events(cut.body)[-1])["error"]["message"]
        assert (await row_of(server.gateway, "within-stream"))["status"] == "error"
        assert [rude.asked(name) for name in rude._answers] == [1] * 5


async def test_nobody_at_the_door_is_a_502(served: Serve) -> None:
    with full() as port:
        server = await served(over(f"http://127.0.0.1:{port}", upstream=TIMES))
        reply = await ask(server, "never")
        error = await refused(server.gateway, reply, "never")
        assert "could not connect" in error["message"]


async def test_a_refused_connection_is_tried_again_and_counted(served: Serve) -> None:
    server = await served(over("http://127.0.0.1:9", upstream={"retries": 1}))
    reply = await ask(server, "refused")
    error = await refused(server.gateway, reply, "refused")
    assert "connect" in error["message"]
    row = await row_of(server.gateway, "refused")
    assert [attempt["status"] for attempt in row["attempts"]] == ["error"] * 2


# ---------------------------------------------------------------- too much


async def test_what_is_too_long_is_refused(served: Serve) -> None:
    long = b"data: " + b"x" * 5000
    rude = Rude(
        {
            "reply": http(b" " * 5000 + WHOLE),
            "unpacked": http(gzip.compress(b" " * 5000 + WHOLE), "Content-Encoding: gzip"),
            "event": stream(chunked(long)),
            "second": stream(chunked(FIRST, long)),
            "json": http(b" " * 5000 + WHOLE),
        }
    )
    async with rude.server as upstream:
        limits = {"reply_limit": "4KiB", "event_limit": "4KiB"}
        server = await served(over(upstream.url, upstream=limits))
        for name, code in {
            "reply": "reply_too_large",
            "unpacked": "reply_too_large",
            "event": "event_too_large",
            "json": "reply_too_large",
        }.items():
            reply = await ask(server, name, stream=name in ("event", "json"))
            error = await refused(server.gateway, reply, name)
            assert error["code"] == code
            assert f"upstream.{code.partition('_')[0]}_limit" in error["message"]
        cut = await ask(server, "second", stream=True)
        assert cut.body.startswith(FIRST)
        assert json.loads(read_events(cut.body)[-1])["error"]["code"] == "event_too_large"


# ---------------------------------------------------------------- secrets

TOLD = json.dumps({"error": {"message": f"bad key {KEY}", "type": KEY, "code": KEY}}).encode()
ECHOES = {
    "refusal": http(TOLD, status="401 No"),
    "text": http(f"bad key {KEY}".encode(), status="403 No", kind="text/plain"),
    "page": http(f"<html>bad key {KEY}</html>".encode(), kind="text/html"),
    "success": http(TOLD),
    "stream-refusal": http(TOLD, status="401 No"),
    "stream-page": http(f"<html>bad key {KEY}</html>".encode(), kind="text/html"),
    "stream-error": stream(chunked(FIRST, b"data: " + TOLD + b"\n\n")),
    "stream-only-error": stream(chunked(b"data: " + TOLD + b"\n\n")),
    "stream-cut-error": stream(chunked(FIRST, b"data: " + TOLD)[:-5]),
    "stream-nonsense": stream(chunked(FIRST, f"data: bad key {KEY}\n\n".encode())),
    "stream-no-event": stream(chunked(f"bad key {KEY}\n\n".encode())),
}


async def test_an_echoed_key_goes_no_further(
    served: Serve, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    rude = Rude(ECHOES)
    async with rude.server as upstream:
        server = await served(over(upstream.url))
        for name in ECHOES:
            reply = await ask(server, name, stream=name.startswith("stream"))
            assert KEY not in reply.body.decode(), name
            assert KEY not in str(reply.headers), name
            assert "error" in reply.body.decode()
            assert (await row_of(server.gateway, name))["status"] == "error"
        await server.stop()
    assert [path for path in _files(tmp_path) if KEY.encode() in path.read_bytes()] == []
    assert KEY not in "".join(capfd.readouterr())


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
