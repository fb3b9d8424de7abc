"""Assets from the web: what is had, what is refused, and that nothing inside is ever touched."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gomodel_proxy.config.settings import Assets
from gomodel_proxy.engine.assets import AssetRefused, TooLarge
from gomodel_proxy.http.assets import AssetFetcher
from gomodel_proxy.http.dialing import reach
from gomodel_proxy.testing.lines import Asked, Line, LineServer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CERTIFICATE = Path(__file__).parent / "data" / "localhost.pem"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
LIMIT = 1000
PUBLIC = "93.184.215.14"


def info(address: str, port: int = 80) -> Any:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return (family, socket.SOCK_STREAM, 6, "", (address, port))


def answer(body: bytes, *lines: str, status: str = "200 OK", length: bool = True) -> bytes:
    head = [f"HTTP/1.1 {status}", *lines]
    head += [f"Content-Length: {len(body)}"] if length else []
    return "\r\n".join([*head, "", ""]).encode() + body


def serving(**pages: bytes) -> LineServer:
    """Return a server whose pages are named by their path."""

    async def page(line: Line, asked: Asked) -> None:
        name = asked.head.split(b" ")[1].decode().strip("/").partition("?")[0]
        await line.send(pages[name])
        if b"Content-Length" not in pages[name]:
            line.close()

    return LineServer(page)


@contextmanager
def listening(host: str = "127.0.0.1") -> Iterator[tuple[int, socket.socket]]:
    """Give a port and the socket behind it, on which nobody may connect."""
    with socket.create_server((host, 0)) as listener:
        listener.setblocking(False)
        yield listener.getsockname()[1], listener
        with pytest.raises(BlockingIOError):
            listener.accept()


def local(**settings: Any) -> AssetFetcher:
    return AssetFetcher(Assets(allow_private=True, **settings))


class Web:
    """A resolver's answers, one after the other, and where connections were asked to go."""

    def __init__(self, *answers: Sequence[str], server: LineServer | None = None) -> None:
        self._answers = list(answers)
        self._server = server
        self.asked: list[str] = []
        self.connected: list[list[str]] = []

    async def look_up(self, host: str, port: int) -> list[Any]:
        self.asked.append(host)
        return [info(address, port) for address in self._answers.pop(0)]

    async def connect(self, infos: Sequence[Any]) -> socket.socket:
        self.connected.append([one[4][0] for one in infos])
        if self._server is None:
            raise ConnectionRefusedError
        return await reach([info("127.0.0.1", self._server.port)])

    def fetcher(self, **settings: Any) -> AssetFetcher:
        return AssetFetcher(Assets(**settings), look_up=self.look_up, connect=self.connect)


async def refused(fetcher: AssetFetcher, url: str) -> str:
    with pytest.raises(AssetRefused) as raised:
        await fetcher.fetch(url, LIMIT)
    return str(raised.value)


# ---------------------------------------------------------------- what is had


async def test_an_asset() -> None:
    async with serving(**{"a.png": answer(PNG, "Content-Type: image/png")}) as server:
        asset = await local().fetch(f"{server.url}/a.png?size=1", LIMIT)
        assert (asset.data, asset.declared) == (PNG, "image/png")
        (asked,) = server.asked
        assert asked.header("host") == server.url.removeprefix("http://")
    assert asked.head.startswith(b"GET /a.png?size=1 HTTP/1.1\r\n")
    for name in ("cookie", "authorization", "referer"):
        assert asked.header(name) is None


async def test_an_asset_that_ends_with_its_connection() -> None:
    async with serving(a=answer(PNG, length=False)) as server:
        assert (await local().fetch(f"{server.url}/a", LIMIT)).data == PNG


async def test_a_name_by_its_only_look_up() -> None:
    async with serving(a=answer(PNG)) as server:
        web = Web([PUBLIC], server=server)
        assert (await web.fetcher().fetch("http://img.example/a", LIMIT)).data == PNG
        assert server.asked[0].header("host") == "img.example"
    assert web.asked == ["img.example"]
    assert web.connected == [[PUBLIC]]


async def test_letters_beyond_ascii_in_a_path() -> None:
    async with serving(**{"gr%C3%BC%C3%9F.png": answer(PNG)}) as server:
        url = (
            f"{server.url}/gr\N{LATIN SMALL LETTER U WITH DIAERESIS}\N{LATIN SMALL LETTER SHARP S}"
        )
        assert (await local().fetch(f"{url}.png", LIMIT)).data == PNG


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_followed(status: int) -> None:
    moved = answer(b"", "Location: /b?c=d", status=f"{status} Moved")
    async with serving(a=moved, b=answer(PNG)) as server:
        assert (await local().fetch(f"{server.url}/a", LIMIT)).data == PNG
        assert [asked.head.split(b" ")[1] for asked in server.asked] == [b"/a", b"/b?c=d"]


# ---------------------------------------------------------------- limits


async def test_too_many_redirects() -> None:
    async with serving(a=answer(b"", "Location: a", status="302 Found")) as server:
        reason = await refused(local(max_redirects=2), f"{server.url}/a")
        assert "more than 2 times (assets.max_redirects)" in reason
        assert len(server.asked) == 3


@pytest.mark.parametrize("length", [True, False])
async def test_what_is_too_long(length: bool) -> None:
    async with serving(a=answer(bytes(LIMIT + 1), length=length)) as server:
        with pytest.raises(TooLarge):
            await local().fetch(f"{server.url}/a", LIMIT)
        asset = await local().fetch(f"{server.url}/a", LIMIT + 1)
        assert len(asset.data) == LIMIT + 1


async def test_a_bomb_counts_by_what_it_becomes() -> None:
    bomb = gzip.compress(bytes(10**6))
    async with serving(a=answer(bomb, "Content-Encoding: gzip")) as server:
        with pytest.raises(TooLarge):
            await local().fetch(f"{server.url}/a", len(bomb) * 10)


async def test_silence_ends_in_time_and_leaves_no_connection() -> None:
    async def silent(line: Line, asked: Asked) -> None:
        await line.left

    async with LineServer(silent) as server:
        reason = await refused(local(timeout=0.05), f"{server.url}/a")
        assert "within 0.05 s (assets.timeout)" in reason
        await asyncio.gather(*(line.left for line in server.lines))


async def test_a_client_that_leaves_takes_the_connection_along() -> None:
    arrived = asyncio.Event()

    async def silent(line: Line, asked: Asked) -> None:
        arrived.set()
        await line.left

    async with LineServer(silent) as server:
        fetching = asyncio.ensure_future(local().fetch(f"{server.url}/a", LIMIT))
        await arrived.wait()
        fetching.cancel()
        await asyncio.gather(*(line.left for line in server.lines))
        with pytest.raises(asyncio.CancelledError):
            await fetching


@pytest.mark.parametrize("status", ["404 Not Found", "500 Oops", "206 Partial", "304 Same"])
async def test_other_answers_are_none(status: str) -> None:
    async with serving(a=answer(b"", status=status)) as server:
        reason = await refused(local(), f"{server.url}/a")
    assert reason == f"its host answered with status {status[:3]}"


async def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    assert "connection refused" in (await refused(local(), f"http://127.0.0.1:{port}/a")).lower()


# ---------------------------------------------------------------- what is inside


INSIDE = [
    "http://127.0.0.1:{}/",
    "http://127.1:{}/",
    "http://2130706433:{}/",
    "http://0x7f000001:{}/",
    "http://0177.0.0.1:{}/",
    "http://0:{}/",
    "http://0.0.0.0:{}/",
    "http://localhost:{}/",
    "http://LOCALHOST:{}/",
    "http://localhost.:{}/",
    "http://[::ffff:127.0.0.1]:{}/",
    "http://[::ffff:7f00:1]:{}/",
    "http://[::1]:{}/",
    "http://[::]:{}/",
    "http://a:b@127.0.0.1:{}/",
    "http://img.example@127.0.0.1:{}/",
    "http://127.0.0.1:{}\\@img.example/",
    "http://\N{FULLWIDTH DIGIT ONE}27.0.0.1:{}/",
    "http://127\N{IDEOGRAPHIC FULL STOP}0.0.1:{}/",
    "http://127.0.0.1:{}#@img.example/",
    "ftp://127.0.0.1:{}/",
    "gopher://127.0.0.1:{}/",
    "file:///etc/passwd?{}",
    "//127.0.0.1:{}/",
    "http://:{}/",
    "http:///{}",
    "http://[127.0.0.1:{}/",
]


@pytest.mark.parametrize("url", INSIDE)
async def test_what_is_inside_is_not_even_connected_to(url: str) -> None:
    with listening() as (port, _):
        reason = await refused(AssetFetcher(Assets()), url.format(port))
    assert str(port) not in reason
    assert "127.0.0.1" not in reason


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "169.254.169.254", "10.0.0.1", "::1", "fe80::1", "224.0.0.1"]
)
async def test_a_name_for_what_is_inside(address: str) -> None:
    web = Web([address])
    assert "not a public one" in await refused(web.fetcher(), "http://img.example/a")
    assert web.connected == []


async def test_one_inner_address_among_others_is_enough() -> None:
    web = Web([PUBLIC, "127.0.0.1"])
    assert "not a public one" in await refused(web.fetcher(), "http://img.example/a")
    assert web.connected == []


async def test_a_name_that_changes_its_mind_is_not_asked_twice() -> None:
    with listening() as (port, _):
        web = Web([PUBLIC], ["127.0.0.1"])
        await refused(web.fetcher(), f"http://rebinding.example:{port}/a")
    assert web.asked == ["rebinding.example"]
    assert web.connected == [[PUBLIC]]  # the very address that was checked


@pytest.mark.parametrize("target", [*INSIDE[:14], "file:///etc/passwd?{}", "gopher://a.example/{}"])
async def test_redirects_lead_nowhere_inside(target: str) -> None:
    with listening() as (port, _):
        moved = answer(b"", f"Location: {target.format(port)}", status="302 Found")
        async with serving(a=moved) as server:

            async def look_up(host: str, port: int) -> list[Any]:
                if host == "img.example":
                    return [info(PUBLIC, port)]
                return await asyncio.get_running_loop().getaddrinfo(
                    host, port, type=socket.SOCK_STREAM
                )

            web = Web(server=server)
            fetcher = AssetFetcher(Assets(), look_up=look_up, connect=web.connect)
            await refused(fetcher, "http://img.example/a")
    assert web.connected == [[PUBLIC]]


async def test_a_redirect_to_a_name_for_what_is_inside() -> None:
    moved = answer(b"", "Location: http://inner.example/", status="302 Found")
    async with serving(a=moved) as server:
        web = Web([PUBLIC], ["10.0.0.1"], server=server)
        assert "not a public one" in await refused(web.fetcher(), "http://img.example/a")
    assert web.asked == ["img.example", "inner.example"]
    assert web.connected == [[PUBLIC]]


async def test_a_certificate_is_that_of_the_name() -> None:
    async def page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer(PNG))
        writer.close()

    identity = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    identity.load_cert_chain(CERTIFICATE)
    trust = ssl.create_default_context(cafile=str(CERTIFICATE))
    server = await asyncio.start_server(page, "127.0.0.1", 0, ssl=identity)
    async with server:
        port = server.sockets[0].getsockname()[1]

        async def look_up(host: str, port: int) -> list[Any]:
            return [info("127.0.0.1", port)]

        fetcher = AssetFetcher(Assets(allow_private=True), look_up=look_up, tls=trust)
        assert (await fetcher.fetch(f"https://localhost:{port}/a", LIMIT)).data == PNG
        assert "certificate" in await refused(fetcher, f"https://img.example:{port}/a")


async def test_an_address_that_never_ends() -> None:
    assert "too long" in await refused(AssetFetcher(Assets()), f"http://a.example/{'a' * 9000}")


async def test_a_name_that_is_none() -> None:
    async def look_up(host: str, port: int) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    fetcher = AssetFetcher(Assets(), look_up=look_up)
    assert "has no address" in await refused(fetcher, "http://none.example/")
