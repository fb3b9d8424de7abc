"""A vendor made of sockets and canned bytes, and a gateway before it, for the tests in here."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
import pytest_asyncio

from gomodel_proxy.testing.served import Served

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

RECORDED = Path(__file__).parents[3] / "shared" / "recorded"
KEY = "sk-up-canary"

_numbers = itertools.count()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if not RECORDED.is_dir():
        terminalreporter.write_sep("!", f"NOT RUN: recorded vendor traffic, no {RECORDED}")


@dataclass(frozen=True)
class Reply:
    """What the vendor answers; ``framing`` is chunked, length, or close."""

    body: bytes
    content_type: str | None = "application/json"
    status: int = 200
    framing: str = "chunked"
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def head(self) -> bytes:
        lines = [f"HTTP/1.1 {self.status} Whatever"]
        if self.content_type is not None:
            lines.append(f"Content-Type: {self.content_type}")
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.framing == "chunked":
            lines.append("Transfer-Encoding: chunked")
        elif self.framing == "length":
            lines.append(f"Content-Length: {len(self.body)}")
        else:
            lines.append("Connection: close")
        return "\r\n".join([*lines, "", ""]).encode()


@dataclass
class Vendor:
    """Answers every request with ``reply``, in random pieces, and keeps what it was sent."""

    reply: Reply = field(default_factory=lambda: Reply(b"{}"))
    seed: str = ""
    url: str = ""
    path: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    requests: int = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[:-2]
        self.path = first.split(" ")[1]
        self.headers = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in lines)}
        self.body = await reader.readexactly(int(self.headers["content-length"]))
        self.requests += 1
        writer.write(self.reply.head)
        chunked = self.reply.framing == "chunked"
        for piece in pieces(self.reply.body, self.seed):
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
            await writer.drain()
            await asyncio.sleep(0)  # a turn of the loop, so that pieces arrive as such
        if chunked:
            writer.write(b"0\r\n\r\n")
        await writer.drain()
        return self.reply.framing != "close"


def pieces(body: bytes, seed: str) -> list[bytes]:
    """Cut a body at random places, the same ones each time."""
    dice = random.Random(seed)
    count = min(len(body) - 1, dice.choice((0, 1, 5, 40))) if body else 0
    places = sorted(dice.sample(range(1, len(body)), count)) if count > 0 else []
    return [body[a:b] for a, b in itertools.pairwise([0, *places, len(body)]) if a < b]


@dataclass
class Answer:
    """What a client of the gateway got, and the ledger's row of it."""

    status: int
    headers: Any
    body: bytes
    row: dict[str, Any]

    @property
    def json(self) -> Any:
        return exact(self.body)

    @property
    def attempt(self) -> dict[str, Any]:
        (only,) = self.row["attempts"]
        return only


@dataclass
class Setup:
    """A gateway before a vendor; the account is called ``up``."""

    vendor: Vendor
    lane: str
    gateway: Served
    client: aiohttp.ClientSession
    admin: aiohttp.ClientSession  # of its own: a connection that left the fast lane stays out

    async def post(self, path: str, members: dict[str, Any], reply: Reply, seed: str) -> Answer:
        """Send a request whose model is one of ``up``'s."""
        self.vendor.reply, self.vendor.seed = reply, f"{seed} {self.lane}"
        request_id = f"test-{next(_numbers)}"
        url = f"{self.gateway.url}{path}"
        async with self.client.post(
            url, json=members, headers={"X-Request-ID": request_id}
        ) as response:
            body = await response.read()
        async with self.admin.get(f"{self.gateway.url}/admin/usage/log?limit=1") as listed:
            (row,) = (await listed.json())["data"]
        assert row["request_id"] == request_id
        # aiohttp names itself, so this tells the lane that was really taken
        assert ("aiohttp" in response.headers.get("Server", "")) == (self.lane == "slow")
        return Answer(response.status, response.headers, body, row)


def exact(data: bytes | str) -> Any:
    """Decode JSON without rounding a number or losing a member."""
    return json.loads(data, parse_float=str, parse_int=str, object_pairs_hook=_members)


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    assert len(members) == len(pairs), f"duplicate members: {pairs}"
    return members


@pytest.fixture(scope="session", name="exact")
def _exact() -> Any:
    return exact


@pytest.fixture(scope="session")
def reply() -> type[Reply]:
    return Reply


@asynccontextmanager
async def arranged(lane: str, folder: Path) -> AsyncIterator[Setup]:
    vendor = Vendor()
    server = await asyncio.start_server(vendor.answer, "127.0.0.1", 0, limit=2**20)
    host, port = server.sockets[0].getsockname()
    vendor.url = f"http://{host}:{port}"
    account = {
        "type": "openai_compatible",
        "base_url": f"{vendor.url}/v1",
        "api_key": KEY,
        "models_path": "",
    }
    config = {
        "server": {"fast_lane": lane == "fast"},
        "upstream": {"retries": 0},
        "providers": {"up": account},
    }
    async with AsyncExitStack() as stack:
        stack.callback(server.close)
        gateway = await stack.enter_async_context(Served(config, folder))
        client = await stack.enter_async_context(aiohttp.ClientSession())
        admin = await stack.enter_async_context(aiohttp.ClientSession())
        yield Setup(vendor, lane, gateway, client, admin)


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["fast", "slow"])
async def setup(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Setup]:
    async with arranged(request.param, tmp_path_factory.mktemp("gateway")) as setup:
        yield setup
