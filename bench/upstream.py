"""The vendors' streams: events of the kind and at the rate that the model's name asks for.

Run as ``python -m bench.upstream PORT``. They have no end. Every event is written by itself, so a
gateway cannot save work by reading several at once.
"""

from __future__ import annotations

import asyncio
import re
import sys

from bench import traffic

HEAD = (
    b"HTTP/1.1 200 OK\r\n"
    b"Content-Type: text/event-stream; charset=utf-8\r\n"
    b"Cache-Control: no-cache\r\n"
    b"x-request-id: req_0b5d6a3f8f8a4a4c9d7d0f4c2a1b3e5f\r\n"
    b"openai-processing-ms: 142\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)
EVENTS = {"events": traffic.event(), "messages": traffic.delta()}
OPENINGS = {"events": traffic.event(), "messages": traffic.opening() + traffic.delta()}
MODEL = re.compile(rb'"((?:events|messages)-\d+)"')
TICK = 0.001


class Wheel:
    """Streams of one model, spread evenly over the ticks of its period."""

    def __init__(self, family: str, rate: int) -> None:
        self.opening = OPENINGS[family]
        self.event = EVENTS[family]
        self.slots: list[set[asyncio.WriteTransport]] = [set() for _ in range(1000 // rate)]
        self.count = 0

    def add(self, stream: asyncio.WriteTransport) -> set[asyncio.WriteTransport]:
        """Give a stream a tick of its own and return what holds it there."""
        slot = self.slots[self.count % len(self.slots)]
        self.count += 1
        slot.add(stream)
        return slot

    async def turn(self) -> None:
        """Write an event to every stream once per period, for ever."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            for slot in self.slots:
                for stream in slot:
                    stream.write(self.event)
                due += TICK
                await asyncio.sleep(due - loop.time())


class Vendor(asyncio.Protocol):
    """One connection: the first whole request starts its stream."""

    def __init__(self, wheels: dict[str, Wheel]) -> None:
        self.wheels = wheels
        self.received = b""
        self.slot: set[asyncio.WriteTransport] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += data
        model = MODEL.search(self.received)
        if model and self.slot is None:
            wheel = self.wheels[model[1].decode()]
            self.transport.write(HEAD + wheel.opening)
            self.slot = wheel.add(self.transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.slot is not None:
            self.slot.discard(self.transport)


async def main(port: int) -> None:
    """Serve until killed."""
    wheels = {
        traffic.stream_model(rate, family): Wheel(family, rate)
        for family, rates in traffic.STREAMS.items()
        for rate in rates
    }
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Vendor(wheels), "127.0.0.1", port, backlog=4096)
    async with server, asyncio.TaskGroup() as tasks:
        for wheel in wheels.values():
            tasks.create_task(wheel.turn())


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
