import asyncio
import json

import msgspec
import pytest

import gomodel_proxy_sandbox
from gomodel_proxy.api import Ask, ConfigError, UpstreamError, UpstreamRequest, UpstreamUnreachable
from gomodel_proxy_sandbox.provider import SandboxConfig
from gomodel_proxy_sandbox.transport import TransportConfig


class Surroundings:
    name = "offline"


class Heard:
    """A receiver that keeps what it hears."""

    def __init__(self):
        self.status = None
        self.headers = {}
        self.pieces = []
        self.last = asyncio.get_running_loop().create_future()
        self.exchange = None
        self.close_after = None

    def head(self, status, headers):
        self.status, self.headers = status, dict(headers)

    def data(self, data):
        self.pieces.append(data)
        if len(self.pieces) == self.close_after:
            self.exchange.close()

    def end(self, framed):
        self.last.set_result(framed)

    def failed(self, error):
        self.last.set_result(error)

    @property
    def body(self):
        return b"".join(self.pieces)


@pytest.fixture
async def transport():
    (kind,) = gomodel_proxy_sandbox.gomodel_transports()
    assert (kind.name, kind.config) == ("sandbox", TransportConfig)
    async with kind.open(TransportConfig(), Surroundings()) as opened:
        yield opened


async def provider(**settings):
    (kind,) = gomodel_proxy_sandbox.gomodel_providers()
    config = msgspec.convert({"type": "sandbox", **settings}, kind.config)
    async with kind.open(config, Surroundings()) as opened:
        return opened


def chat(opened, model, stream=True):
    messages = [{"role": "user", "content": "one two three"}]
    body = json.dumps({"model": model, "messages": messages, "stream": stream}).encode()
    return opened.request(
        Ask(operation="chat", dialect="openai.chat", model=model, stream=stream, body=body)
    )


def start(transport, request):
    heard = Heard()
    heard.exchange = transport.open(request, heard)
    assert heard.status is None  # never before `open` has returned
    return heard


async def test_every_dialect_it_speaks_is_answered(transport):
    opened = await provider()
    asked = {"messages": [{"role": "user", "content": "Hi"}], "input": "Hi", "prompt": "Hi"}
    models = {"embeddings": "sandbox-embedding", "moderations": "sandbox-moderation"}
    for operation, dialects in opened.speaks.items():
        for dialect in dialects:
            model = models.get(operation, "sandbox-echo")
            body = json.dumps({"model": model, **asked}).encode()
            ask = Ask(operation=operation, dialect=dialect, model=model, stream=False, body=body)
            heard = start(transport, opened.request(ask))
            assert await heard.last is True
            assert heard.status == 200
            assert json.loads(heard.body)["model"] == model


async def test_a_stream(transport):
    heard = start(transport, chat(await provider(), "sandbox-echo"))
    assert await heard.last is True
    assert heard.headers["content-type"].startswith("text/event-stream")
    assert heard.pieces[-1] == b"data: [DONE]\n\n"


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("cut=100", UpstreamError),
        ("refuse", UpstreamUnreachable),
        ("garbage", UpstreamError),
        ("badgzip", UpstreamError),
        ("wronglength", UpstreamError),
    ],
)
async def test_faults_that_fail(transport, fault, kind):
    heard = start(transport, chat(await provider(), f"sandbox-echo+{fault}"))
    assert type(await heard.last) is kind
    assert len(heard.body) == (100 if fault == "cut=100" else 0)


async def test_faults_of_the_configuration(transport):
    opened = await provider(faults="status=429+retry_after=3")
    heard = start(transport, chat(opened, "sandbox-echo"))
    assert await heard.last is True
    error = opened.failure(heard.status, tuple(heard.headers.items()), heard.body)
    assert (error.status, error.kind, error.retry) == (429, "rate_limit_error", True)
    assert error.retry_after == 3
    assert error.code == "too_many_requests"
    listed = start(transport, opened.models_request())
    assert await listed.last is True
    names = {model.id: model.operations for model in opened.models_reply(listed.body)}
    assert names["sandbox-embedding"] == ("embeddings",)
    with pytest.raises(ConfigError, match=r"providers\.offline\.faults.*cutt"):
        await provider(faults="cutt=1")


async def test_models_can_fail_too(transport):
    opened = await provider(faults="status=500+models")
    heard = start(transport, opened.models_request())
    assert await heard.last is True
    assert heard.status == 500


@pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b'{"error":1}', b'{"error":{"code":5}}'])
async def test_no_error_body_is_too_strange(body):
    error = (await provider()).failure(503, (), body)
    assert (error.status, error.retry) == (503, False)


async def test_models_reply_refuses_nonsense():
    with pytest.raises(ValueError, match="malformed"):
        (await provider()).models_reply(b"<html>")


async def test_pause_holds_the_stream_back(transport):
    heard = start(transport, chat(await provider(), "sandbox-echo+events=100"))
    heard.exchange.pause()
    tick = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(0.02, tick.set_result, None)
    await tick
    assert heard.status == 200 and not heard.pieces
    heard.exchange.resume()
    assert await heard.last is True
    assert len(heard.pieces) > 100


async def test_close_is_the_last_that_is_heard(transport):
    heard = start(transport, chat(await provider(), "sandbox-echo+events=100"))
    heard.close_after = 3
    early = start(transport, chat(await provider(), "sandbox-echo"))
    early.exchange.close()
    slow = start(transport, chat(await provider(), "sandbox-echo+first=10ms", stream=False))
    asyncio.get_running_loop().call_later(0.005, slow.exchange.close)
    other = start(transport, chat(await provider(), "sandbox-echo+first=50ms"))
    assert await other.last is True
    assert len(heard.pieces) == 3 and not heard.last.done()
    assert early.status is None and slow.status is None


async def test_hang_hears_nothing(transport):
    heard = start(transport, chat(await provider(), "sandbox-echo+hang"))
    other = start(transport, chat(await provider(), "sandbox-echo+first=20ms"))
    assert await other.last is True
    assert heard.status is None
    heard.exchange.close()


async def test_an_unknown_path(transport):
    heard = start(transport, UpstreamRequest(method="GET", url="http://sandbox/v1/nothing"))
    assert await heard.last is True
    assert heard.status == 404


async def test_it_needs_no_key_and_has_prices():
    opened = await provider()
    assert opened.secrets == ()
    assert opened.price_version == "sandbox"
    assert opened.prices["sandbox-echo*"].input == "1"
    assert SandboxConfig(type="sandbox").transport == "sandbox"
