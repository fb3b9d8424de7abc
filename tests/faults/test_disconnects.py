"""A client that leaves takes its upstream with it: in every phase, by every way in, for good.

Design §6.3: within 250 ms the upstream's connection is closed, and the ledger says ``cancelled``
with the tokens known so far.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import random
import socket
from collections import Counter
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gomodel_proxy.testing.client import Client
from gomodel_proxy.testing.lines import Asked, Line, LineServer
from gomodel_proxy.testing.waiting import until

from .conftest import over, row_of, rows
from .lanes import LANES, ROOM, Way, entered

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

BOUND = 0.25  # seconds from the client's goodbye to the upstream's

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n"
BUSY = b"HTTP/1.1 429 No\r\nRetry-After: 5\r\nContent-Length: 2\r\n\r\n{}"
PIECE = 64 * 1024
FLOOD = 4 << 20  # far more than anybody may keep


def event(data: str) -> bytes:
    whole = f"data: {data}\n\n".encode()
    return b"%x\r\n%b\r\n" % (len(whole), whole)


def chunk(text: str, finish: str | None = None, **more: Any) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
    return event(json.dumps({"choices": [choice], **more}))


FINISH = chunk("", "stop") + event("[DONE]") + b"0\r\n\r\n"


class Moody:
    """An upstream whose answer depends on the request's id; it keeps the lines by id."""

    def __init__(self) -> None:
        self.lines: dict[str, Line] = {}
        self.sent: dict[str, int] = {}
        self.server = LineServer(self.answer, room=ROOM)

    async def answer(self, line: Line, asked: Asked) -> None:
        name = asked.header("x-request-id") or ""
        self.lines[name] = line
        match name.partition("-")[0]:
            case "silent":
                return
            case "busy":
                await line.send(BUSY)
            case "half":
                await line.send(JSON + b'{"id": ')
            case "stream":
                await line.send(HEAD + chunk("one"), chunk("two"))
            case "counting":
                usage = {"prompt_tokens": 5, "completion_tokens": 2}
                await line.send(HEAD + chunk("one", usage=usage))
            case "flood":
                await self._flood(name, line)
            case _:
                await line.send(HEAD + chunk("well"), FINISH)

    async def _flood(self, name: str, line: Line) -> None:
        piece = chunk("x" * PIECE)
        await line.send(HEAD)
        while not line.left.done() and self.sent.get(name, 0) < FLOOD:
            await line.flood(piece)
            self.sent[name] = self.sent.get(name, 0) + len(piece)
            await asyncio.sleep(0)  # the writer is not to starve the loop


@asynccontextmanager
async def scene(lane: str, folder: Path, **settings: Any) -> AsyncIterator[tuple[Way, Moody]]:
    """Serve a gateway over a moody upstream; nothing may be left unobserved behind it."""
    loop = asyncio.get_running_loop()
    complaints: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    moody = Moody()
    async with moody.server as server:
        # Looking for batches makes tasks of its own, which come and go.
        config = {**over(server.url, **settings), "batches": {"work": False}}
        async with entered(lane, config, folder) as way:
            yield way, moody
        gc.collect()  # a task or future nobody asked complains when it goes
        await asyncio.sleep(0)
    assert not complaints


async def cancelled(way: Way, name: str) -> dict[str, Any]:
    """Wait until nothing runs any more; return the request's row."""
    await until(lambda: way.gateway.generation.running == 0, BOUND)
    row = await row_of(way.gateway, name)
    assert row["status"] == "cancelled"
    assert row["error"] == "client_gone"
    return row


def tokens(row: dict[str, Any]) -> list[tuple[Any, Any]]:
    return [(attempt["output_tokens"], attempt["provenance"]) for attempt in row["attempts"]]


each_lane = pytest.mark.parametrize("lane", LANES)


# ---------------------------------------------------------------- phases with an upstream


async def to_silence(way: Way, moody: Moody, name: str, client: Client) -> None:
    await until(lambda: name in moody.lines)


async def to_second_chunk(way: Way, moody: Moody, name: str, client: Client) -> None:
    await client.until(b"two")


async def to_first_chunk(way: Way, moody: Moody, name: str, client: Client) -> None:
    await client.until(b"one")


async def to_flood(way: Way, moody: Moody, name: str, client: Client) -> None:
    """Read nothing until the upstream can send no more."""
    await until(lambda: name in moody.lines)
    line = moody.lines[name]
    turns = 0  # in which it could send nothing
    async with asyncio.timeout(10):
        while turns < 50:
            await asyncio.sleep(0)
            turns = turns + 1 if line.is_full() else 0


PHASES = {
    "before the first byte": ("silent", True, to_silence, [(None, None)]),
    "before a whole reply": ("silent", False, to_silence, [(None, None)]),
    "within a whole reply": ("half", False, to_silence, [(None, None)]),
    "within a stream": ("stream", True, to_second_chunk, [(2, "partial")]),
    "within a counting stream": ("counting", True, to_first_chunk, [(2, "reported")]),
    "paused": ("flood", True, to_flood, None),
}


@each_lane
@pytest.mark.parametrize("phase", PHASES)
async def test_the_upstream_goes_with_the_client(tmp_path: Path, lane: str, phase: str) -> None:
    kind, stream, reach, counted = PHASES[phase]
    async with scene(lane, tmp_path) as (way, moody):
        tasks = len(asyncio.all_tasks())
        for goodbye in (Client.leave, Client.finish, Client.half_close):
            name = f"{kind}-{goodbye.__name__}"
            client = await way.ask(name, stream=stream, room=ROOM if phase == "paused" else None)
            await reach(way, moody, name, client)
            begun = goodbye(client)
            ended = await asyncio.wait_for(asyncio.shield(moody.lines[name].left), 10)
            assert ended - begun < BOUND, goodbye
            await until(lambda: len(asyncio.all_tasks()) == tasks, BOUND)
            row = await cancelled(way, name)
            assert [attempt["status"] for attempt in row["attempts"]] == ["cancelled"]
            if counted is None:
                ((output, provenance),) = tokens(row)
                assert output >= 1
                assert provenance == "partial"
            else:
                assert tokens(row) == counted
            client.leave()  # one that only half closed is still there
            await client.left


# ---------------------------------------------------------------- phases without one


@each_lane
async def test_leaving_the_queue(tmp_path: Path, lane: str) -> None:
    async with scene(lane, tmp_path, concurrency=1) as (way, moody):
        first = await way.ask("stream-first")
        await first.until(b"two")
        second = await way.ask("fine-second")
        third = await way.ask("fine-third")
        await until(lambda: way.gateway.generation.running == 3)
        second.leave()
        await until(lambda: way.gateway.generation.running == 2, BOUND)
        first.leave()  # and the third has its place
        assert b"well" in (await third.reply()).body
        third.leave()
        row = await cancelled(way, "fine-second")
        assert row["attempts"] == []
        assert (await row_of(way.gateway, "fine-third"))["status"] == "ok"
        assert "fine-second" not in moody.lines


@each_lane
async def test_leaving_while_a_retry_waits(tmp_path: Path, lane: str) -> None:
    async with scene(lane, tmp_path) as (way, moody):
        client = await way.ask("busy")
        await until(lambda: moody.lines)
        await until(lambda: moody.lines["busy"].is_answered())
        client.leave()
        row = await cancelled(way, "busy")
        assert [attempt["http_status"] for attempt in row["attempts"]] == [429]
        assert len(moody.server.asked) == 1


@each_lane
async def test_leaving_while_it_connects(tmp_path: Path, lane: str) -> None:
    with full() as port:
        async with entered(lane, over(f"http://127.0.0.1:{port}"), tmp_path) as way:
            before = descriptors()["socket"]
            client = await way.ask("never")
            await until(lambda: descriptors()["socket"] == before + 3)  # its two ends, and ours
            client.leave()
            await until(lambda: descriptors()["socket"] == before, BOUND)
            row = await cancelled(way, "never")
            assert tokens(row) == [(None, None)]


class full:
    """A port whose backlog is full, so that connecting to it takes for ever."""

    def __enter__(self) -> int:
        self._server = socket.create_server(("127.0.0.1", 0), backlog=0)
        port: int = self._server.getsockname()[1]
        self._others = []
        for _ in range(3):
            other = socket.socket()
            other.setblocking(False)
            other.connect_ex(("127.0.0.1", port))
            self._others.append(other)
        return port

    def __exit__(self, *exc: object) -> None:
        for each in (*self._others, self._server):
            each.close()


# ---------------------------------------------------------------- again and again


def descriptors() -> Counter[str]:
    """Return how many of each kind are open: sockets are one kind, each file is its own."""
    found: Counter[str] = Counter()
    for name in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):  # the one that listed the others
            found[os.readlink(f"/proc/self/fd/{name}").partition(":")[0]] += 1
    return found


def resident() -> int:
    """Return this process's bytes in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


OURS = ("gomodel_proxy", "aiohttp.web", "asyncio", "_asyncio")  # where what a request makes is from


class Census:
    """What a process holds: descriptors, objects of a request's kinds, bytes."""

    def __init__(self) -> None:
        gc.collect()
        self.files = descriptors()
        kinds = (type(each) for each in gc.get_objects())
        self.objects = Counter(kind for kind in kinds if str(kind.__module__).startswith(OURS))
        self.memory = resident()


@pytest.mark.soak
@each_lane
async def test_a_thousand_goodbyes_leave_nothing(tmp_path: Path, lane: str) -> None:
    rng = random.Random(lane)
    async with scene(lane, tmp_path, concurrency=30) as (way, moody):
        tasks, sockets = len(asyncio.all_tasks()), descriptors()["socket"]
        await _goodbyes(way, rng, range(200))
        before = await _quiet(way, moody, "before", tasks, sockets)
        await _goodbyes(way, rng, range(200, 1200))
        after = await _quiet(way, moody, "after", tasks, sockets)
        kept = await rows(way.gateway)
    assert {row["status"] for found in kept.values() for row in found} <= {"ok", "cancelled"}
    assert all(len(found) == 1 for found in kept.values())
    assert after.files == before.files
    # asyncio keeps a hundred cancelled timers, the ledger its last rows; a leak makes a thousand.
    assert {kind: n for kind, n in (after.objects - before.objects).items() if n >= 200} == {}
    assert after.memory - before.memory < 32 << 20  # what allocators keep of floods


async def _goodbyes(way: Way, rng: random.Random, numbers: range) -> None:
    """Leave in mixed phases, 40 at a time over 30 places, so that some are queued."""
    waiting = iter(numbers)

    async def some() -> None:
        for number in waiting:
            kind = rng.choice(["silent", "busy", "half", "stream", "counting", "flood", "fine"])
            room = ROOM if kind == "flood" else None
            client = await way.ask(f"{kind}-{number}", stream=kind != "half", room=room)
            for _ in range(rng.randrange(30)):  # as far as it gets in so many turns
                await asyncio.sleep(0)
            rng.choice([client.leave, client.finish])()
            await client.left

    await asyncio.gather(*(some() for _ in range(40)))


async def _quiet(way: Way, moody: Moody, last: str, tasks: int, sockets: int) -> Census:
    """Wait until all is over, drop what the test itself keeps, and count."""
    generation = way.gateway.generation
    client = await way.ask(f"fine-{last}")  # once this is answered, all before it have been heard
    await client.reply()
    client.leave()
    await until(lambda: generation.running == 0)
    await generation.books.flush()
    for line in list(moody.server.lines):  # what is left is kept alive, with nothing under way
        line.reset()
        await line.left
    await until(lambda: len(asyncio.all_tasks()) == tasks)
    await until(lambda: descriptors()["socket"] == sockets)
    moody.lines.clear()
    moody.sent.clear()
    moody.server.asked.clear()
    return Census()


# ---------------------------------------------------------------- slow readers

HELD = 768 * 1024  # bytes per client: what asyncio reads at once and writes ahead, twice


@each_lane
async def test_slow_readers_cost_little_and_nobody_else(tmp_path: Path, lane: str) -> None:
    count = 200
    async with scene(lane, tmp_path) as (way, moody):
        before = resident()
        clients = [await way.ask(f"flood-{number}", room=ROOM) for number in range(count)]
        fine = await way.ask("fine-1")
        assert b"well" in (await fine.reply()).body  # while the floods are rising
        lines = moody.lines
        await until(lambda: len(lines) == count + 1)
        floods = [line for name, line in lines.items() if name.startswith("flood")]
        await until(
            lambda: all(map(Line.is_full, floods)) or resident() - before > count * HELD, 60
        )
        assert resident() - before < count * HELD
        fine.send(way.request("fine-2"))
        assert b"well" in (await fine.reply()).body
        sent = dict(moody.sent)
        clients[0].read_on()
        await until(lambda: moody.sent["flood-0"] > sent["flood-0"] + 16 * PIECE)
        assert resident() - before < count * HELD
        for client in (fine, *clients):
            client.leave()
        await until(lambda: way.gateway.generation.running == 0)


@each_lane
async def test_a_reader_that_stalls_for_too_long_is_dropped(tmp_path: Path, lane: str) -> None:
    async with scene(lane, tmp_path, server={"idle_timeout": "300ms"}) as (way, moody):
        client = await way.ask("flood", room=ROOM)
        await until(lambda: moody.lines)
        await asyncio.wait_for(asyncio.shield(moody.lines["flood"].left), 10)
        await cancelled(way, "flood")
        client.leave()
