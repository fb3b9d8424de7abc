"""Names with several addresses: the first that answers wins, and no socket is left open."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from gomodel_proxy.http import dialing
from gomodel_proxy.http.dialing import dial


def info(port: int, host: str = "127.0.0.1") -> Any:
    return (socket.AF_INET, socket.SOCK_STREAM, 0, "", (host, port))


@pytest.fixture
def listener() -> Any:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@pytest.fixture
def refused() -> int:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port: int = gone.getsockname()[1]
    return port


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Any]]:
    names: dict[str, list[Any]] = {}

    async def look_up(host: str, port: int) -> list[Any]:
        return names[host]

    monkeypatch.setattr(dialing, "resolve", look_up)
    return names


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_name_is_found(listener: socket.socket, host: str) -> None:
    port = listener.getsockname()[1]
    with await dial(host, port) as connected:
        assert connected.getpeername()[1] == port


async def test_an_address_that_refuses_gives_way_at_once(
    listener: socket.socket, refused: int, names: dict[str, list[Any]]
) -> None:
    port = listener.getsockname()[1]
    names["host"] = [info(refused), info(port)]
    with await dial("host", 1) as connected:
        assert connected.getpeername()[1] == port


async def test_an_address_that_is_silent_gives_way_soon(
    listener: socket.socket, names: dict[str, list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    port = listener.getsockname()[1]
    attempt = dialing._attempt

    async def selective(tried: Any) -> socket.socket:
        if tried[4][1] == 1:
            await asyncio.get_running_loop().create_future()
        return await attempt(tried)

    monkeypatch.setattr(dialing, "_attempt", selective)
    monkeypatch.setattr(dialing, "_HEAD_START", 0.0)
    names["host"] = [info(1), info(port)]
    with await dial("host", 1) as connected:
        assert connected.getpeername()[1] == port
    await asyncio.sleep(0)  # the other attempt hears of it
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_all_that_refuse_are_an_error(refused: int, names: dict[str, list[Any]]) -> None:
    names["host"] = [info(refused), info(refused)]
    with pytest.raises(ConnectionRefusedError):
        await dial("host", 1)


@pytest.mark.parametrize("rounds", range(12))
@pytest.mark.parametrize("addresses", [1, 2])
async def test_nothing_is_left_whenever_it_is_cancelled(
    listener: socket.socket, names: dict[str, list[Any]], rounds: int, addresses: int
) -> None:
    names["host"] = [info(listener.getsockname()[1])] * addresses
    dialling = asyncio.create_task(dial("host", 1))
    for _ in range(rounds):
        await asyncio.sleep(0)
    dialling.cancel()
    result = (await asyncio.gather(dialling, return_exceptions=True))[0]
    if isinstance(result, socket.socket):
        result.close()
    await asyncio.sleep(0)  # the attempts hear of it
    assert asyncio.all_tasks() == {asyncio.current_task()}
    listener.setblocking(False)
    try:
        while True:
            accepted, _ = listener.accept()
            with accepted:
                accepted.settimeout(5)
                assert accepted.recv(1) == b""
    except BlockingIOError:
        pass


def test_families_take_turns() -> None:
    six = (socket.AF_INET6, socket.SOCK_STREAM, 0, "", ("::1", 1, 0, 0))
    four, other = info(1), info(2)
    assert dialing._interleaved([six, six, four, other]) == [six, four, six, other]
    assert dialing._interleaved([four, other]) == [four, other]
