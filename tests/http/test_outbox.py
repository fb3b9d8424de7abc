"""Writes at the end of the loop's turn: together, in order, and never to the wrong one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from gomodel_proxy.api import UpstreamRequest
from gomodel_proxy.http.outbox import Outbox
from gomodel_proxy.http.transport import HttpTransport
from gomodel_proxy.testing.scripted import Heard, Upstream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gomodel_proxy.http.connection import Connection

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Note:
    """A writer that says when it wrote."""

    def __init__(self, name: int, written: list[int]) -> None:
        self.name = name
        self.written = written

    def flush(self) -> None:
        self.written.append(self.name)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    upstream = Upstream()
    yield upstream
    upstream.close()


async def test_what_comes_up_in_a_turn_is_written_in_order_after_it() -> None:
    written: list[int] = []
    outbox = Outbox(asyncio.get_running_loop())
    for name in range(3):
        outbox.put(Note(name, written))
    assert written == []
    await asyncio.sleep(0)
    assert written == [0, 1, 2]
    outbox.put(Note(3, written))
    outbox.flush()
    await asyncio.sleep(0)
    assert written == [0, 1, 2, 3]


async def test_many_do_not_wait_for_the_end_of_the_turn() -> None:
    written: list[int] = []
    outbox = Outbox(asyncio.get_running_loop())
    for name in range(40):
        outbox.put(Note(name, written))
    assert written == list(range(32))
    await asyncio.sleep(0)
    assert written == list(range(40))


async def in_between(upstream: Upstream, happens: Callable[[Connection], None]) -> Heard:
    """Let something happen to a used connection whose next request has not been written yet."""
    way = HttpTransport()
    request = UpstreamRequest(method="POST", url=upstream.url, body=b"{}")
    first, second = Heard(), Heard()
    way.open(request, first)
    await upstream.answer(OK)
    await first.over()
    way.open(request, second)
    (origin,) = way._origins.values()
    (connection,) = origin.connections
    assert not connection.sent
    happens(connection)
    await upstream.answer(OK)
    await second.over()
    await way.close()
    return second


async def test_bytes_that_come_before_the_request_has_left_are_no_answer_to_it(
    upstream: Upstream,
) -> None:
    goodbye = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"
    heard = await in_between(upstream, lambda connection: connection.data_received(goodbye))
    assert (heard.status, bytes(heard.body)) == (200, b"ok")


async def test_a_connection_that_ends_before_the_request_has_left_costs_nothing(
    upstream: Upstream,
) -> None:
    heard = await in_between(upstream, lambda connection: connection.connection_lost(None))
    assert (heard.status, bytes(heard.body)) == (200, b"ok")
