"""The server as bytes on a socket, with one server per test in this process."""

import asyncio
import json
import zlib
from contextlib import asynccontextmanager

import pytest

from gomodel_proxy_sandbox.server import serving


class Wire:
    """A client that knows no HTTP."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    def ask(self, path, members=None, method="POST", headers=""):
        body = b"" if members is None else json.dumps(members).encode()
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
        )
        self.writer.write(head.encode() + body)

    def chat(self, model, stream=False, text="one two three four", **members):
        messages = [{"role": "user", "content": text}]
        asked = {"model": model, "messages": messages, "stream": stream, **members}
        self.ask("/v1/chat/completions", asked)

    async def head(self):
        lines = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        pairs = (line.partition(": ") for line in lines[1:-2])
        return int(lines[0].split()[1]), {name: value for name, _, value in pairs}

    async def body(self, headers):
        if "content-length" in headers:
            return await self.reader.readexactly(int(headers["content-length"]))
        data = bytearray()
        while size := int(await self.reader.readline(), 16):
            data += await self.reader.readexactly(size)
            assert await self.reader.readexactly(2) == b"\r\n"
        assert await self.reader.readexactly(2) == b"\r\n"
        return bytes(data)

    async def answer(self):
        status, headers = await self.head()
        return status, headers, await self.body(headers)

    async def json(self, path, method="GET"):
        self.ask(path, method=method)
        return json.loads((await self.answer())[2])


@asynccontextmanager
async def wired(address):
    reader, writer = await asyncio.open_connection(*address, limit=2**26)
    try:
        yield Wire(reader, writer)
    finally:
        writer.close()


@pytest.fixture
async def server():
    async with serving() as opened:
        yield opened


@pytest.fixture
async def wire(server):
    async with wired(server.address) as opened:
        yield opened


async def test_keep_alive_and_framing(wire):
    for _ in range(2):
        wire.chat("sandbox-echo")
        status, headers, body = await wire.answer()
        assert status == 200 and headers["content-type"] == "application/json"
        assert json.loads(body)["choices"][0]["message"]["content"] == "one two three four"
    wire.chat("sandbox-echo", stream=True)
    _, headers, body = await wire.answer()
    assert headers["transfer-encoding"] == "chunked"
    assert body.endswith(b"data: [DONE]\n\n")
    wire.ask("/health", method="GET")
    assert (await wire.answer())[0] == 200


async def test_pipelined_requests_are_answered_in_order(wire):
    for number in range(600):
        wire.chat("sandbox-echo", text=str(number), stream=number % 2 == 0)
        if number % 50 == 0:
            await wire.writer.drain()
            for back in range(max(number - 49, 0), number + 1):
                body = (await wire.answer())[2]
                assert f'"{back}"'.encode() in body


async def test_a_body_in_chunks_and_in_drops(wire):
    body = b'{"model":"sandbox-echo","messages":[{"role":"user","content":"drop"}]}'
    head = b"POST /v1/chat/completions HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    sent = head + b"5\r\n" + body[:5] + b"\r\n%x;ext=1\r\n" % (len(body) - 5) + body[5:]
    for byte in sent + b"\r\n0\r\n\r\n":
        wire.writer.write(bytes([byte]))
        await wire.writer.drain()
    assert b'"drop"' in (await wire.answer())[2]


async def test_continue_is_sent_to_who_waits_for_it(wire):
    wire.writer.write(
        b"POST /v1/embeddings HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    )
    assert (await wire.head())[0] == 100
    wire.writer.write(b"{}")
    assert (await wire.answer())[0] == 400


async def test_what_is_no_http_is_refused(wire):
    wire.writer.write(b"\x16\x03\x01\r\n\r\n")
    assert (await wire.head())[0] == 400
    await wire.reader.read()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("size", [0, 1, 50, 120])
async def test_cut(wire, stream, size):
    wire.chat(f"sandbox-echo+cut={size}", stream)
    _, headers = await wire.head()
    rest = await wire.reader.read()
    if stream:
        assert rest == (b"%x\r\n" % size + rest[-size - 2 : -2] + b"\r\n" if size else b"")
    else:
        assert len(rest) == size < int(headers["content-length"])


@pytest.mark.parametrize("stream", [False, True])
async def test_cutframed(wire, stream):
    wire.chat("sandbox-echo+cutframed=120", stream)
    assert len((await wire.answer())[2]) == 120
    wire.ask("/health", method="GET")
    assert (await wire.answer())[0] == 200


async def test_refuse_and_garbage(server):
    async with wired(server.address) as wire:
        wire.chat("sandbox-echo+refuse")
        assert await wire.reader.read() == b""
    async with wired(server.address) as wire:
        wire.chat("sandbox-echo+garbage")
        assert b"not HTTP" in await wire.reader.read()
    async with serving(faults="refuse") as refusing, wired(refusing.address) as wire:
        assert await wire.reader.read() == b""


async def test_lengths(server):
    async with wired(server.address) as wire:
        wire.chat("sandbox-echo+wronglength")
        _, headers = await wire.head()
        assert len(await wire.reader.read()) == int(headers["content-length"]) - 100
    async with wired(server.address) as wire:
        wire.chat("sandbox-echo+shortlength")
        _, headers, body = await wire.answer()
        with pytest.raises(json.JSONDecodeError):
            json.loads(body)
        json.loads(body + await wire.reader.readexactly(int(headers["content-length"])))


@pytest.mark.parametrize("stream", [False, True])
async def test_gzip(wire, stream):
    wire.chat("sandbox-echo+gzip", stream)
    _, headers, body = await wire.answer()
    assert headers["content-encoding"] == "gzip"
    assert b"three" in zlib.decompress(body, wbits=31)
    wire.chat("sandbox-echo+badgzip", stream)
    body = (await wire.answer())[2]
    assert body[:2] == b"\x1f\x8b"
    with pytest.raises(zlib.error):
        zlib.decompress(body, wbits=31)


async def test_interim_answers(wire):
    wire.chat("sandbox-echo+1xx+continue=50")
    statuses = [(await wire.head())[0] for _ in range(51)]
    assert statuses == [103] + [102] * 50
    assert (await wire.answer())[0] == 200


async def test_times_by_the_clock(wire):
    loop = asyncio.get_running_loop()
    for stream in (False, True):
        start = loop.time()
        wire.chat("sandbox-echo+first=50ms", stream)
        await wire.answer()
        assert loop.time() - start >= 0.05
    start = loop.time()
    wire.chat("sandbox-echo+events=10+rate=200", stream=True)
    await wire.answer()
    assert 12 * 0.005 <= loop.time() - start < 1


async def test_a_head_of_a_stream_does_not_wait_for_its_first_token(wire):
    wire.chat("sandbox-echo+first=3600s", stream=True)
    assert (await wire.head())[0] == 200


async def test_log_stats_and_reset(server, wire):
    wire.ask(
        "/v1/chat/completions",
        {"model": "sandbox-echo", "messages": [{"role": "user", "content": "Hi"}]},
        headers="Authorization: Bearer sk-canary\r\nX-Request-ID: r1\r\n",
    )
    usage = json.loads((await wire.answer())[2])["usage"]
    wire.chat("sandbox-echo+cut=30", stream=True)
    await wire.reader.read()
    async with wired(server.address) as other, wired(server.address) as third:
        other.chat("sandbox-echo+hang")
        while (await third.json("/_sandbox/stats"))["in_flight"] != 1:
            pass
        other.writer.close()
        while (await third.json("/_sandbox/stats"))["disconnected"] != 1:
            pass
        stats = await third.json("/_sandbox/stats")
        assert (stats["accepted"], stats["answered"], stats["in_flight"]) == (3, 2, 0)
        first, cut, gone = (await third.json("/_sandbox/log"))["requests"]
        assert (first["model"], first["request_id"], first["body"]) == ("sandbox-echo", "r1", None)
        assert first["headers"]["authorization"] == "Bearer ***"
        assert (first["state"], first["usage"]) == ("answered", usage)
        assert (cut["state"], cut["usage"]) == ("answered", None)
        assert gone["state"] == "disconnected" and gone["ended_ns"] > gone["accepted_ns"]
        await third.json("/_sandbox/reset", method="POST")
        assert (await third.json("/_sandbox/log")) == {"requests": []}


async def test_a_client_that_leaves_mid_stream_is_noticed(server):
    async with wired(server.address) as wire:
        wire.chat("sandbox-echo+events=1000+gap=20ms", stream=True)
        await wire.head()
    async with wired(server.address) as other:
        while (await other.json("/_sandbox/stats"))["disconnected"] != 1:
            pass
        assert (await other.json("/_sandbox/stats"))["open_connections"] == 1


async def test_a_slow_client_slows_the_server(server):
    reader, writer = await asyncio.open_connection(*server.address, limit=2**14)
    async with wired(server.address) as other:
        slow = Wire(reader, writer)
        slow.chat("sandbox-text+size=150000", stream=True)
        await slow.head()
        connection = next(c for c in server.connections if c.busy)
        while not connection._full:
            await other.json("/health")
        for _ in range(50):  # it holds back, however often it could go on
            await other.json("/health")
        assert connection._transport.get_write_buffer_size() < 1_000_000
        assert connection.busy
        data = bytearray()
        while not data.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n"):
            data += await reader.read(2**20)
        assert len(data) > 5_000_000  # more than the kernel's buffers hold
    writer.close()


async def test_the_same_bytes_whatever_the_pace(wire):
    bodies = []
    for faults in ("+chunk=7", "+chunk=4096", "+gap=1ms", "+rate=5000"):
        wire.chat(f"sandbox-text{faults}", stream=True)
        bodies.append((await wire.answer())[2].replace(f"sandbox-text{faults}".encode(), b""))
    assert len(set(bodies)) == 1
