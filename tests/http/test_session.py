"""The way out over aiohttp's client: what is its own business."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gomodel_proxy.api import UpstreamRequest, UpstreamUnreachable
from gomodel_proxy.http.session import SessionConfig, SessionTransport
from gomodel_proxy.testing.scripted import Heard, Upstream
from gomodel_proxy.testing.upstream import canned

if TYPE_CHECKING:
    from collections.abc import Iterator

URL = "https://api.example.com/v1/chat/completions"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture
def proxy() -> Iterator[Upstream]:
    proxy = Upstream()
    yield proxy
    proxy.close()


async def test_a_canned_answer_is_delivered() -> None:
    way = SessionTransport()
    heard = Heard()
    with canned() as web:
        web.post(URL, payload={"id": "1"}, headers={"Content-Length": "11", "X-Request-ID": "r"})
        way.open(UpstreamRequest(method="POST", url=URL, body=b"{}"), heard)
        await heard.over()
    assert (heard.status, bytes(heard.body), heard.framed) == (200, b'{"id": "1"}', True)
    assert ("x-request-id", "r") in heard.headers
    await way.close()


async def test_a_request_goes_through_the_proxy(proxy: Upstream) -> None:
    way = SessionTransport(SessionConfig(proxy=f"http://user:canary@127.0.0.1:{proxy.port}"))
    heard = Heard()
    way.open(UpstreamRequest(method="POST", url="http://api.example.com/v1", body=b"{}"), heard)
    peer = await proxy.accept()
    request = await peer.request()
    assert request.startswith(b"POST http://api.example.com/v1 HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic " in request
    await peer.send(OK)
    await heard.over()
    assert bytes(heard.body) == b"ok"
    await way.close()


async def test_a_proxy_that_refuses_is_unreachable_and_its_password_is_kept(
    proxy: Upstream,
) -> None:
    way = SessionTransport(SessionConfig(proxy=f"http://user:canary@127.0.0.1:{proxy.port}"))
    heard = Heard()
    way.open(UpstreamRequest(method="POST", url=URL, body=b"{}"), heard)
    peer = await proxy.answer(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
    peer.close()
    error = await heard.failure()
    assert isinstance(error, UpstreamUnreachable)
    assert error.message == "the proxy answered 407 for api.example.com:443"
    await way.close()


async def test_a_proxy_that_is_not_there_is_unreachable(proxy: Upstream) -> None:
    way = SessionTransport(SessionConfig(proxy=f"http://user:canary@127.0.0.1:{proxy.port}"))
    proxy.close()
    heard = Heard()
    way.open(UpstreamRequest(method="POST", url=URL, body=b"{}"), heard)
    error = await heard.failure()
    assert isinstance(error, UpstreamUnreachable)
    assert error.message == "could not connect to the proxy: connection refused"
    await way.close()


async def test_the_environment_may_name_the_proxy(
    proxy: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
    way = SessionTransport(SessionConfig(trust_env=True))
    heard = Heard()
    way.open(UpstreamRequest(method="POST", url="http://api.example.com/v1"), heard)
    await proxy.answer(OK)
    await heard.over()
    assert bytes(heard.body) == b"ok"
    await way.close()


def test_the_settings_do_not_show_the_proxys_password() -> None:
    assert "canary" not in repr(SessionConfig(proxy="http://user:canary@proxy:3128"))
