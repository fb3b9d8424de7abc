"""Message batches that Anthropic executes: said without a socket, and through a gateway."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from gomodel_proxy.api import Secret, Shipping, UpstreamError
from gomodel_proxy.testing.dialogue import shipment, talk
from gomodel_proxy.testing.shipped import account, chat, shipped
from gomodel_proxy.testing.waiting import until
from gomodel_proxy_anthropic import AnthropicConfig, open_anthropic

from .vendor import AnthropicVendor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gomodel_proxy.testing.shipped import Shipped

BASE = "https://api.anthropic.com/v1"
RUNTIME: Any = SimpleNamespace(name="anthropic", base=Path(), log=None)


async def shipping(**settings: Any) -> Shipping | None:
    config = AnthropicConfig(type="anthropic", api_key=Secret("sk-canary"), **settings)
    async with open_anthropic(config, RUNTIME) as account:
        found: Shipping | None = account.shipping  # type: ignore[attr-defined]
        return found


def batch(id: str, status: str = "ended", lines: int = 2, **more: Any) -> dict[str, Any]:
    counts = {"processing": 0, "succeeded": lines, "errored": 0}
    made = {"created_at": "2026-09-21T14:14:00Z", "request_counts": counts}
    return {"id": id, "processing_status": status, **made, **more}


async def test_it_ships_at_home_and_where_it_is_told_to() -> None:
    assert await shipping() is not None
    assert await shipping(batches=False) is None
    assert await shipping(base_url="https://acme.example/v1") is None
    assert await shipping(base_url="https://acme.example/v1", batches=True) is not None


async def test_submitting() -> None:
    ships = await shipping()
    assert ships is not None
    assert ships.terms("anthropic.count_tokens", "m") is None
    terms = ships.terms("anthropic.messages", "m")
    assert terms is not None
    assert (terms.lines, terms.size, terms.by_model) == (100_000, 256_000_000, False)
    line = ships.line("ab-0", "anthropic.messages", "m", b'{"model":"m"}')
    sent = shipment(headers=(("anthropic-beta", "one"),))
    taken, (asked,) = talk(ships.submit(sent, [line, line]), batch("b", "in_progress"))
    assert (taken.id, taken.state) == ("b", "running")
    assert (asked.method, asked.url) == ("POST", f"{BASE}/messages/batches")
    request = {"custom_id": "ab-0", "params": {"model": "m"}}
    assert json.loads(asked.body) == {"requests": [request, request]}
    assert dict(asked.extra)["anthropic-beta"] == "one"
    assert dict(asked.headers)["x-api-key"] == "sk-canary"


async def test_it_is_known_again_by_its_lines() -> None:
    ships = await shipping()
    assert ships is not None
    listed = {"data": [batch("other"), batch("more", lines=3), batch("mine")], "has_more": False}
    found, asked = talk(
        ships.find(shipment(), ["ab-0", "ab-1"]),
        listed,
        {"custom_id": "cd-0", "result": {"type": "canceled"}},
        {"custom_id": "ab-1", "result": {"type": "canceled"}},
    )
    assert found is not None
    assert found.id == "mine"
    paths = [request.url.removeprefix(BASE) for request in asked[1:]]
    assert paths == ["/messages/batches/other/results", "/messages/batches/mine/results"]


async def test_while_one_like_it_runs_nobody_can_tell() -> None:
    ships = await shipping()
    assert ships is not None
    listed = {"data": [batch("mine", "in_progress")]}
    with pytest.raises(LookupError, match="mine"):
        talk(ships.find(shipment(), ["ab-0", "ab-1"]), listed)


async def test_older_batches_and_others_sizes_are_not_it() -> None:
    ships = await shipping()
    assert ships is not None
    old = batch("old", created_at="2026-09-01T00:00:00Z")
    listed = {"data": [batch("big", "in_progress", lines=9), old], "has_more": True}
    found, _ = talk(ships.find(shipment(), ["ab-0", "ab-1"]), listed)
    assert found is None


async def test_results() -> None:
    ships = await shipping()
    assert ships is not None
    good = ships.result(b'{"custom_id":"a","result":{"type":"succeeded","message":{"id":"m"}}}')
    assert (good.line, good.status, good.body) == ("a", 200, b'{"id":"m"}')
    error = b'{"type":"error","error":{"type":"rate_limit_error","message":"slow"}}'
    bad = ships.result(b'{"custom_id":"a","result":{"type":"errored","error":%b}}' % error)
    assert (bad.status, bad.body) == (429, error)
    for kind, ours in (("canceled", "cancelled"), ("expired", "expired")):
        line = b'{"custom_id":"a","result":{"type":"%b"}}' % kind.encode()
        assert ships.result(line).kind == ours
    for line in (b"", b"{", b'{"custom_id":"a","result":{"type":"new"}}'):
        with pytest.raises(ValueError):
            ships.result(line)


async def test_cancelling_one_that_has_ended_is_no_error() -> None:
    ships = await shipping()
    assert ships is not None
    talk(ships.cancel(shipment(vendor_id="b")), UpstreamError("ended", status=400))
    with pytest.raises(UpstreamError):
        talk(ships.cancel(shipment(vendor_id="b")), UpstreamError("away"))


# ---------------------------------------------------------------- through a gateway


@pytest.fixture
async def vendor() -> AsyncIterator[AnthropicVendor]:
    async with AnthropicVendor() as vendor:
        yield vendor


def providers(vendor: AnthropicVendor) -> dict[str, dict[str, Any]]:
    return {"anthropic": account("anthropic", f"{vendor.url}/v1")}


@pytest.fixture
async def gateway(vendor: AnthropicVendor, tmp_path: Path) -> AsyncIterator[Shipped]:
    async with shipped(providers(vendor), tmp_path) as gateway:
        yield gateway


async def test_chat_lines_over_anthropic(gateway: Shipped, vendor: AnthropicVendor) -> None:
    words = {"one": "hello", "bad": "fail", "late": "expire"}
    lines = {name: chat(word, max_tokens=5) for name, word in words.items()}
    id_ = await gateway.create(lines)
    await gateway.ended(id_)
    results = await gateway.results(id_)
    reply = results["one"]["response"]
    assert reply["choices"][0]["message"]["content"] == "echo hello"
    assert reply["usage"]["prompt_tokens"] == 7
    assert results["bad"]["status_code"] == 400
    assert results["bad"]["error"]["message"] == "bad words"
    assert results["late"]["error"]["type"] == "batch_expired"
    (batch,) = vendor.batches.values()
    assert batch.lines[0]["params"]["model"] == "m"
    rows = {row["id"][-1]: row for row in await gateway.rows()}
    assert rows["0"]["attempts"][0]["output_tokens"] == 3
    assert rows["1"]["status"] == "error"


async def test_what_strict_callers_would_lose_is_not_sent(
    vendor: AnthropicVendor, tmp_path: Path
) -> None:
    lines = {"lossy": chat("hello", max_tokens=5, seed=1), "whole": chat("hello", max_tokens=5)}
    async with shipped(providers(vendor), tmp_path, routing={"strict": True}) as gateway:
        id_ = await gateway.create(lines)
        await gateway.ended(id_)
        results = await gateway.results(id_)
    assert results["lossy"]["status_code"] == 400
    assert "would lose seed" in results["lossy"]["error"]["message"]
    assert results["whole"]["status_code"] == 200
    (batch,) = vendor.batches.values()
    assert len(batch.lines) == 1


async def test_messages_pass_as_they_are(gateway: Shipped, vendor: AnthropicVendor) -> None:
    body = {**chat("hello", max_tokens=5), "novel": {"kept": [1]}}
    id_ = await gateway.create({"one": body}, "/v1/messages")
    await gateway.ended(id_)
    (batch,) = vendor.batches.values()
    assert batch.lines[0]["params"] == body
    assert (await gateway.results(id_))["one"]["response"]["type"] == "message"


async def test_an_answer_that_is_lost_submits_nothing_twice(
    gateway: Shipped, vendor: AnthropicVendor
) -> None:
    vendor.drop, vendor.ended = 1, False
    id_ = await gateway.create({"one": chat("hello", max_tokens=5)})
    await gateway.uncertain(id_)
    vendor.ended = True
    batch = await gateway.ended(id_)
    assert batch["request_counts"]["completed"] == 1
    assert not batch["errors"]
    assert len(vendor.batches) == 1


async def test_one_that_was_not_taken_is_submitted_again(
    gateway: Shipped, vendor: AnthropicVendor
) -> None:
    vendor.refuse = [(500, {"type": "error", "error": {"type": "api_error", "message": "oops"}})]
    id_ = await gateway.create({"one": chat("hello", max_tokens=5)})
    assert (await gateway.ended(id_))["request_counts"]["completed"] == 1
    assert vendor.count("POST", "/batches") == 2


async def test_cancelling(gateway: Shipped, vendor: AnthropicVendor) -> None:
    vendor.ended = False
    id_ = await gateway.create({"one": chat("cancel", max_tokens=5)})
    await until(lambda: vendor.batches)
    await gateway.send("POST", f"/v1/batches/{id_}/cancel")
    await until(lambda: vendor.count("POST", "/cancel"))
    vendor.ended = True
    assert (await gateway.ended(id_))["status"] == "cancelled"
