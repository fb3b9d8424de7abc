"""The server's door, over real sockets: the two lanes, limits, times, broken requests."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

import pytest

from gomodel_proxy.api import Query
from gomodel_proxy.testing.served import Served
from gomodel_proxy.testing.waiting import until

from .conftest import BODY, SANDBOX, Client, request

Serve = Callable[..., Awaitable[Served]]

LANES = {
    "fast": request(),
    "chunked": (
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)
    ),
    "query": request("/v1/chat/completions?a=b"),
}


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("size", [None, 1, 11])
async def test_answers_in_either_lane_however_bytes_arrive(
    served: Serve, lane: str, size: int | None
) -> None:
    server = await served(SANDBOX)
    async with await Client.to(server.port) as client:
        for _ in range(2):  # and again on the same connection
            await client.send(LANES[lane], size)
            status, headers, body = await client.reply()
            assert status == 200, body
            assert json.loads(body)["choices"][0]["message"]["content"] == "Hello"
            assert headers["x-gomodel-provider"] == "sandbox"


async def test_pipelined_requests_are_answered_in_order(served: Serve) -> None:
    server = await served(SANDBOX)
    bodies = [BODY.replace(b"Hello", b"number %d" % number) for number in range(5)]
    async with await Client.to(server.port) as client:
        await client.send(b"".join(request(body=body) for body in bodies))
        for number in range(5):
            _, _, body = await client.reply()
            assert json.loads(body)["choices"][0]["message"]["content"] == f"number {number}"


@pytest.mark.parametrize(
    ("after", "status"),
    [(b"GET /health HTTP/1.1\r\nHost: test\r\n\r\n", 200), (b"what is this?\r\n\r\n", 400)],
)
async def test_what_comes_with_a_request_is_answered_after_it(
    after: bytes, status: int, served: Serve
) -> None:
    server = await served(SANDBOX)
    async with await Client.to(server.port) as client:
        await client.send(LANES["fast"] + after)
        first, _, body = await client.reply()
        assert (first, json.loads(body)["object"]) == (200, "chat.completion")
        assert (await client.reply())[0] == status


async def test_a_connection_can_change_to_the_slow_lane(served: Serve) -> None:
    server = await served(SANDBOX)
    async with await Client.to(server.port) as client:
        await client.send(LANES["fast"])
        assert (await client.reply())[0] == 200
        await client.send(b"GET /health HTTP/1.1\r\nHost: test\r\n\r\n")
        assert (await client.reply())[0] == 200
        await client.send(LANES["fast"])
        assert (await client.reply())[0] == 200


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, "bad_request_line"),
        (b"GET / HTTP/1.1\nHost: a\n\n", 400, "bad_request_line"),
        (b"GET /health HTTP/1.1\r\nHost: a\r\nBad header\r\n\r\n", 400, "bad_header"),
        (b"GET /health HTTP/1.1\r\nHost: a\r\nA: \0\r\n\r\n", 400, "bad_header"),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n", 414, "uri_too_long"),
        (b"GET / HTTP/1.1\r\nA: " + b"b" * 70000, 431, "headers_too_large"),
        (request(body=b"", method="GET") + b"\0\0\0\0\r\n\r\n", 200, None),
        (
            b"POST /v1/embeddings HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n",
            413,
            "request_too_large",
        ),
        (request("/v1/chat/completions", BODY, "Transfer-Encoding: chunked"), 400, "bad_framing"),
        (request("/v1/chat/completions", BODY, "Content-Length: 3"), 400, "bad_header"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "http_version"),
        (b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 405, "method_not_allowed"),
    ],
)
async def test_broken_requests_get_an_envelope_and_are_closed(
    served: Serve, data: bytes, status: int, code: str | None
) -> None:
    server = await served(SANDBOX)
    async with await Client.to(server.port) as client:
        if code is None:  # a good request first, garbage behind it
            await client.send(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
            assert (await client.reply())[0] == 200
            await client.send(b"\0\0\0\0\r\n\r\n")
            assert (await client.error())[0] == 400
        else:
            await client.send(data)
            got, error = await client.error()
            assert (got, error["code"]) == (status, code)
        assert await client.closed()


async def test_a_stalled_head_body_or_connection_is_ended(served: Serve) -> None:
    times = {"head_timeout": "1s", "body_timeout": "1s", "idle_timeout": "1s"}
    server = await served({**SANDBOX, "server": times})
    whole = request()
    for sent, code in ((whole[:30], "request_timeout"), (whole[:-5], "request_timeout")):
        async with await Client.to(server.port) as client:
            await client.send(sent)
            status, error = await client.error()
            assert (status, error["code"]) == (408, code)
            assert await client.closed()
    async with await Client.to(server.port) as client:
        assert await client.closed()  # nothing was ever sent
    async with await Client.to(server.port) as client:
        await client.send(LANES["chunked"][:-10])  # aiohttp waits for the rest, the door does not
        status, error = await client.error()
        assert (status, error["code"]) == (408, "request_timeout")
        assert await client.closed()


async def test_too_much_sent_early_ends_the_connection(served: Serve) -> None:
    server = await served({"providers": {"sandbox": {"type": "sandbox", "faults": "first=30s"}}})
    async with await Client.to(server.port) as client:
        await client.send(request() + b"x" * 70_000)
        assert await client.closed()
    await until(lambda: not server.gateway.generation.running)


async def test_the_next_request_waits_until_the_last_answer_is_taken(served: Serve) -> None:
    server = await served(SANDBOX)
    generation = server.gateway.generation
    long = BODY.replace(b"Hello", b"Hello " * 3_000_000)  # more than the system's buffers take
    async with await Client.to(server.port) as slow, await Client.to(server.port) as other:
        await slow.send(request(body=long))
        await slow.reader.readexactly(len(b"HTTP/1.1 "))
        await slow.send(request())
        for _ in range(2):  # by the second one the slow client's request has been read
            await other.send(request())
            assert (await other.reply())[0] == 200
        await generation.books.flush()
        assert len(await generation.store.ledger.log(Query(limit=10))) == 3
        head = await slow.reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        await slow.reader.readexactly(length)
        assert (await slow.reply())[0] == 200
        await generation.books.flush()
        assert len(await generation.store.ledger.log(Query(limit=10))) == 4


async def test_more_requests_than_allowed_are_told_so(served: Serve) -> None:
    server = await served(
        {
            "providers": {"sandbox": {"type": "sandbox", "faults": "first=30s"}},
            "server": {"max_requests": 1},
        }
    )
    async with await Client.to(server.port) as first, await Client.to(server.port) as second:
        await first.send(request())
        await until(lambda: server.gateway.generation.running)
        await second.send(request())
        status, error = await second.error()
        assert (status, error["code"]) == (503, "too_many_requests_under_way")


async def test_more_connections_than_allowed_are_told_so(served: Serve) -> None:
    server = await served({**SANDBOX, "server": {"max_connections": 1}})
    async with await Client.to(server.port) as first, await Client.to(server.port) as second:
        status, _ = await second.error()
        assert status == 503
        await first.send(request())
        assert (await first.reply())[0] == 200


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize(
    ("body", "status", "code", "param"),
    [
        (b"", 400, None, None),
        (b"{", 400, None, None),
        (b"[]", 400, None, None),
        (b"\xff\xfe", 400, None, None),
        (BODY.replace(b"Hello", b"\0"), 400, None, None),
        (b'{"model":"a","model":"b","messages":[]}', 400, None, None),
        (b'{"messages":[{"role":"user","content":"x"}]}', 400, None, "model"),
        (b'{"model":7,"messages":[{}]}', 400, None, "model"),
        (b'{"model":"sandbox-echo"}', 400, None, "messages"),
        (b'{"model":"sandbox-echo","messages":"x"}', 400, None, "messages"),
        (b'{"model":"sandbox-echo","messages":[{}],"stream":1}', 400, None, "stream"),
        (b'{"model":"nope","messages":[{}]}', 404, "model_not_found", "model"),
        (b'{"model":"sandbox-echo","messages":' + b"[" * 300 + b"]" * 300 + b"}", 400, None, None),
    ],
)
async def test_bad_bodies_get_a_clear_error_and_the_connection_lives(
    served: Serve, fast: bool, body: bytes, status: int, code: str | None, param: str | None
) -> None:
    server = await served({**SANDBOX, "server": {"fast_lane": fast}})
    async with await Client.to(server.port) as client:
        await client.send(request(body=body))
        got, error = await client.error()
        assert got == status
        assert error["message"]
        assert code is None or error["code"] == code
        assert param is None or error["param"] == param
        await client.send(request())
        assert (await client.reply())[0] == 200


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("Content-Type: text/plain", 415),
        ("Content-Encoding: gzip", 415),
    ],
)
async def test_other_media_are_refused(
    served: Serve, caplog: pytest.LogCaptureFixture, line: str, status: int
) -> None:
    server = await served(SANDBOX)
    data = request().replace(b"Content-Type: application/json", line.encode())
    if "Encoding" in line:
        data = request("/v1/chat/completions", BODY, line)
    async with await Client.to(server.port) as client:
        await client.send(data)
        assert (await client.error())[0] == status
    assert not caplog.records


async def test_an_expectation_is_met(served: Serve) -> None:
    server = await served(SANDBOX)
    head, _, body = request("/v1/chat/completions", BODY, "Expect: 100-continue").partition(
        b"\r\n\r\n"
    )
    async with await Client.to(server.port) as client:
        await client.send(head + b"\r\n\r\n")
        assert (await client.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100")
        await client.send(body)
        assert (await client.reply())[0] == 200
