"""Streams cut and re-chunked at every byte end as their dialect demands, or say that they do not.

Design §6.2: the client gets whole events, then the proper end or one typed error, never half of
either; while it has nothing yet, a 502. The ledger says which it was, and what it cost.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from gomodel_proxy.testing.client import Client, Reply, post
from gomodel_proxy.testing.lines import Asked, Line, LineServer
from gomodel_proxy.testing.served import Served

from .conftest import KEY, over, rows
from .scripts import DONE, FRAMINGS, SCRIPTS, Due, Script, Wire, due, read_events, wire

Serve = Callable[..., Awaitable[Served]]

WIDTH = 24  # cases under way at once


@dataclass(frozen=True)
class Case:
    """One exchange: what the upstream sends, piece by piece, and how it then leaves."""

    pieces: tuple[bytes, ...]
    due: Due
    leave: str = ""  # "close" or "reset"
    lane: str = ""


class Cases:
    """Runs cases of one script over kept connections and holds each to what is due."""

    def __init__(self, script: Script, cases: list[Case]) -> None:
        self.script = script
        self.cases = cases
        self._left = enumerate(cases)

    async def answer(self, line: Line, asked: Asked) -> None:
        """Play the case that the request's id names."""
        case = self.cases[int(asked.header("x-request-id") or "")]
        if case.leave == "reset":
            await line.send(*case.pieces)
            line.reset()
            return
        for piece in case.pieces[:-1]:
            await line.send(piece)
        await line.send(case.pieces[-1]) if case.pieces else None
        if case.leave:
            line.close()

    async def run(self, serve: Serve) -> Counter[str]:
        """Run them all; return how they ended."""
        async with LineServer(self.answer) as upstream:
            served = await serve(over(upstream.url))
            ends = await asyncio.gather(*(self._some(served.port) for _ in range(WIDTH)))
            kept = await rows(served.gateway)
            assert len(upstream.asked) == len(self.cases), "something was sent twice, or never"
        for number, case in enumerate(self.cases):
            check_row(kept.pop(str(number)), case.due)
        assert not kept
        return sum(ends, Counter())

    async def _some(self, port: int) -> Counter[str]:
        ends: Counter[str] = Counter()
        client = await Client.to(port)
        for number, case in self._left:
            path = self.script.path + case.lane
            message = post(path, self.script.body, f"X-Request-ID: {number}")
            reply = await client.ask(message)
            try:
                ends[check(reply, case.due)] += 1
            except AssertionError as error:
                error.add_note(f"case {number}: {case}\nreply: {reply}")
                raise
        client.leave()
        return ends


def check(reply: Reply, due: Due) -> str:
    """Hold a whole reply to what is due; return how it ended."""
    assert KEY.encode() not in reply.body
    if not due.data and not due.bytes:
        assert reply.status == 502
        assert reply.headers["content-type"] == "application/json"
        error = reply.json()["error"]
        assert set(error) == {"message", "type", "param", "code"}
        assert error["type"] == "upstream_error"
        return "refused"
    assert reply.status == 200
    assert reply.headers["content-type"] == "text/event-stream"
    assert reply.body.startswith(due.bytes), "whole events come as they were sent"
    events = read_events(reply.body)
    if due.clean:
        assert tuple(events) == due.data
        return "clean"
    assert tuple(events[:-1]) == due.data
    error = json.loads(events[-1])["error"]
    assert error["type"] == "upstream_error"
    assert error["message"]
    assert DONE not in events
    return "broken"


def check_row(found: list[dict[str, Any]], due: Due) -> None:
    """Hold the one row of a request to what is due."""
    (row,) = found
    (attempt,) = row["attempts"]
    refused = not due.data and not due.bytes
    assert row["status"] == attempt["status"] == ("ok" if due.clean else "error"), row
    assert row["http_status"] == (502 if refused else 200)
    assert (row["error"] is None) == due.clean
    usage = (attempt["input_tokens"], attempt["output_tokens"], attempt["provenance"])
    wanted = (due.usage[0] or usage[0], *due.usage[1:])
    assert usage == wanted, (row, due)


def cuts(script: Script, framing: str, leave: str = "close", step: int = 1) -> Iterator[Case]:
    """Cut an answer at every byte; the last case is the whole one."""
    sent = wire(script, framing)
    for offset in range(0, len(sent.data) + 1, step):
        framed = sent.delimited and offset == len(sent.data)
        outcome = due(script, sent.arrived[offset], framed)
        # A goodbye after a whole answer may cross the next request, which would be nobody's fault.
        yield Case((sent.data[:offset],) if offset else (), outcome, "" if framed else leave)


def splits(script: Script, framing: str) -> Iterator[Case]:
    """Send a whole answer in two pieces, split at every byte."""
    sent = wire(script, framing)
    outcome = due(script, len(script.data), sent.delimited)
    for offset in range(1, len(sent.data)):
        yield Case((sent.data[:offset], sent.data[offset:]), outcome, last(sent))


def crumbs(script: Script, framing: str) -> Case:
    """Send a whole answer byte by byte."""
    sent = wire(script, framing, piece=1)
    outcome = due(script, len(script.data), sent.delimited)
    return Case(tuple(bytes([byte]) for byte in sent.data), outcome, last(sent))


def last(sent: Wire) -> str:
    return "" if sent.delimited else "close"


each_script = pytest.mark.parametrize("name", SCRIPTS)
# What is framed and how it is framed are read by different code: not every pair is needed.
pairs = pytest.mark.parametrize(
    ("name", "framing"),
    [
        *(("chat", framing) for framing in FRAMINGS),
        ("chat_crlf", "closed"),
        ("tools", "length"),
        ("responses", "chunked"),
        ("responses", "closed"),
    ],
)


@pairs
async def test_cut_at_every_byte(served: Serve, name: str, framing: str) -> None:
    script = SCRIPTS[name]
    ends = await Cases(script, list(cuts(script, framing))).run(served)
    assert ends["clean"] >= 1
    assert ends["broken"] > ends["clean"]
    assert ends["refused"] > 50


@each_script
async def test_reset_at_any_byte(served: Serve, name: str) -> None:
    script = SCRIPTS[name]
    ends = await Cases(script, list(cuts(script, "chunked", "reset", step=11))).run(served)
    assert ends["broken"] > 10


@pairs
async def test_split_at_every_byte(served: Serve, name: str, framing: str) -> None:
    script = SCRIPTS[name]
    cases = [*splits(script, framing), *(crumbs(script, framing) for framing in FRAMINGS)]
    ends = await Cases(script, cases).run(served)
    assert ends == {"clean": len(cases)}


@each_script
async def test_the_slow_lane_ends_streams_alike(served: Serve, name: str) -> None:
    script = SCRIPTS[name]
    some = [case for framing in FRAMINGS for case in cuts(script, framing, step=17)]
    some += [crumbs(script, framing) for framing in FRAMINGS]
    some += list(splits(script, "chunked"))[::17]
    cases = [Case(case.pieces, case.due, case.leave, "?slow=1") for case in some]
    ends = await Cases(script, cases).run(served)
    assert min(ends["clean"], ends["broken"], ends["refused"]) > 0


@pytest.mark.parametrize("framing", FRAMINGS)
async def test_the_vendors_own_error_is_the_only_one(served: Serve, framing: str) -> None:
    whole = SCRIPTS["tools"]
    told = b'data: {"error": {"message": "overloaded", "type": "server_error"}}\n\n'
    script = Script(whole.path, whole.body, (*whole.events[:2], told))
    sent = wire(script, framing)

    async def answer(line: Line, asked: Asked) -> None:
        await line.send(sent.data[: int(asked.header("x-request-id") or "")])
        line.close()

    async with LineServer(answer) as upstream:
        server = await served(over(upstream.url))
        client = await Client.to(server.port)
        before = sent.arrived.index(len(script.data) - len(told) + 1)
        for offset in range(before, len(sent.data) + 1):
            reply = await client.ask(post(script.path, script.body, f"X-Request-ID: {offset}"))
            first, second, *errors = read_events(reply.body)
            assert (_says(first), _says(second)) == (None, None)
            (error,) = map(_says, errors)
            if sent.arrived[offset] >= len(script.data) - 2:  # but for its blank line
                assert error == "server_error"
                assert reply.body == script.data
            else:
                assert error == "upstream_error"
        client.leave()
        kept = await rows(server.gateway)
    assert {row["status"] for found in kept.values() for row in found} == {"error"}


def _says(event: bytes) -> str | None:
    error = json.loads(event).get("error")
    return error and error["type"]
