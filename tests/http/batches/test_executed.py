"""Batches that the gateway executes itself, through the front door, against a played vendor."""

from __future__ import annotations

import asyncio
import base64
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import aiohttp
import standardwebhooks
from msgspec.structs import replace

from gomodel_proxy.engine.ids import now
from gomodel_proxy.testing.lines import Asked, Line, LineServer

from .line_house import asked_by, reply_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .line_house import House

SECRET = "whsec_" + base64.b64encode(bytes(32)).decode()
MESSAGES = [{"role": "user", "content": "x"}]


async def test_each_line_is_sent_once_and_told_once(
    open_house: Callable[..., Awaitable[House]],
) -> None:
    house = await open_house()
    names = [f"line {n}" for n in range(150)]
    made = await house.create(*names, metadata={"team": "a"})
    batch = await house.ended(made["id"])
    assert batch["request_counts"] == {"total": 150, "completed": 150, "failed": 0, "resent": 0}
    assert sorted(map(asked_by, house.vendor.asked)) == sorted(names)
    results = await house.results(made["id"])
    assert [one["custom_id"] for one in results] == names
    said = [one["response"]["choices"][0]["message"]["content"] for one in results]
    assert said == names
    rows = await house.rows()
    assert len(rows) == 150
    assert {row["batch"] for row in rows} == {made["id"]}
    assert batch["usage"]["input_tokens"] == 450
    assert batch["usage"]["total_tokens"] == 750
    assert batch["metadata"] == {"team": "a"}
    assert batch["error_file_id"] is None


async def test_one_provider_that_is_down_fails_its_lines_alone(
    open_house: Callable[..., Awaitable[House]],
) -> None:
    house = await open_house()
    made = await house.create("one", "down:two", "three", "down:four")
    batch = await house.ended(made["id"])
    assert batch["request_counts"]["completed"] == 2
    assert batch["request_counts"]["failed"] == 2
    results = {one["custom_id"]: one for one in await house.results(made["id"])}
    assert results["one"]["error"] is None
    broken = results["down:two"]
    assert broken["status_code"] == 502
    assert broken["error"]["message"]
    assert (await house.ask("GET", f"/v1/files/{batch['error_file_id']}"))[1]["bytes"] > 0
    tries = Counter(row["status"] for row in await house.rows())
    assert tries == {"ok": 2, "error": 4}  # two tries each, as configured


async def test_a_busy_vendor_is_asked_again_later_and_nobody_fails(
    open_house: Callable[..., Awaitable[House]],
) -> None:
    house = await open_house()
    refused: Counter[str] = Counter()

    async def busy(line: Line, asked: Asked) -> None:
        name = asked_by(asked)
        refused[name] += 1
        if refused[name] <= 3:  # more often than a connection may fail
            await line.send(reply_of(asked, 429, retry_after="0"))
        else:
            await line.send(reply_of(asked))

    house.vendor.answer = busy
    made = await house.create("a", "b", "c")
    batch = await house.ended(made["id"])
    assert batch["request_counts"]["completed"] == 3
    assert set(refused.values()) == {4}


async def test_a_refusal_is_the_lines_result_and_is_not_tried_again(
    open_house: Callable[..., Awaitable[House]],
) -> None:
    house = await open_house()

    async def refuse(line: Line, asked: Asked) -> None:
        await line.send(reply_of(asked, 400 if asked_by(asked) == "bad" else 500))

    house.vendor.answer = refuse
    made = await house.create("bad", "worse")
    await house.ended(made["id"])
    results = await house.results(made["id"])
    assert [one["status_code"] for one in results] == [400, 500]
    assert len(house.vendor.asked) == 2


async def test_cancel_stops_what_runs_and_keeps_what_is_done(
    open_house: Callable[..., Awaitable[House]],
) -> None:
    house = await open_house({"batch_concurrency": 2})
    hanging: list[Line] = []

    async def some(line: Line, asked: Asked) -> None:
        if asked_by(asked) in ("a", "b"):
            await line.send(reply_of(asked))
        else:
            hanging.append(line)

    house.vendor.answer = some
    made = await house.create("a", "b", "c", "d", "e")
    await house.until(made["id"], lambda it: it["request_counts"]["completed"] == 2 and hanging)
    began = asyncio.get_running_loop().time()
    status, batch = await house.ask("POST", f"/v1/batches/{made['id']}/cancel")
    assert (status, batch["status"]) == (200, "cancelling")
    batch = await house.ended(made["id"], "cancelled")
    assert asyncio.get_running_loop().time() - began < 3
    for line in hanging:
        await asyncio.wait_for(asyncio.shield(line.left), 3)
    results = await house.results(made["id"])
    assert [one["status_code"] for one in results[:2]] == [200, 200]
    assert {one["error"]["type"] for one in results[2:]} == {"batch_cancelled"}
    _, file = await house.ask("GET", f"/v1/files/{batch['error_file_id']}")
    async with aiohttp.ClientSession() as session:
        content = f"{house.gateway.url}/v1/files/{batch['error_file_id']}/content"
        async with session.get(content) as reply:
            text = await reply.read()
    assert len(text) == file["bytes"]
    assert text.count(b"batch_cancelled") == 3
    status, error = await house.ask("POST", f"/v1/batches/{made['id']}/cancel")
    assert status == 409, error


async def test_what_is_not_done_in_time_expires_and_says_so(
    open_house: Callable[..., Awaitable[House]],
) -> None:
    house = await open_house()

    async def slow(line: Line, asked: Asked) -> None:
        if asked_by(asked) == "quick":
            await line.send(reply_of(asked))

    house.vendor.answer = slow
    made = await house.create("quick", "slow")
    await house.until(made["id"], lambda it: it["request_counts"]["completed"] == 1)
    time = now()
    await house.batches.change(made["id"], lambda it: replace(it, expires=time, due=time))
    batch = await house.ended(made["id"], "expired")
    assert batch["expired_at"] >= time // 1_000_000
    done, late = await house.results(made["id"])
    assert done["error"] is None
    assert late["error"]["type"] == "batch_expired"


async def test_a_faulty_file_sends_nothing_and_names_every_fault(
    open_house: Callable[..., Awaitable[House]],
) -> None:
    house = await open_house()
    good: dict[str, Any] = {
        "custom_id": "x",
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": {"model": "up/m", "messages": MESSAGES},
    }
    lines = [
        json.dumps(good),
        "not json",
        json.dumps({**good, "custom_id": None}),
        json.dumps({**good, "method": "GET"}),
        json.dumps({**good, "url": "/v1/nothing"}),
        json.dumps({**good, "body": {"model": "up/unknown", "messages": MESSAGES}}),
        json.dumps({**good, "body": {**good["body"], "stream": True}}),
    ]
    made = await house.upload(*lines)
    batch = await house.ended(made["id"], "failed")
    found = [(one["line"], one["code"], one["param"]) for one in batch["errors"]["data"]]
    assert found == [
        (2, "invalid_json_line", None),
        (3, "invalid_type", "custom_id"),
        (4, "invalid_method", "method"),
        (5, "invalid_url", "url"),
        (6, "model_not_found", "body.model"),
        (7, "stream_not_supported", "body.stream"),
    ]
    assert house.vendor.asked == []
    assert await house.rows() == []


async def test_nobody_waits_for_ever_for_who_has_a_model(
    open_house: Callable[..., Awaitable[House]], unused_tcp_port_factory: Callable[[], int]
) -> None:
    nowhere = f"http://127.0.0.1:{unused_tcp_port_factory()}/v1"
    house = await open_house({"models": [], "models_mode": "fallback", "base_url": nowhere})
    line = {"custom_id": "x", "url": "/v1/chat/completions"}
    body = {"model": "somebodys", "messages": MESSAGES}
    made = await house.upload(json.dumps({**line, "body": body}))
    time = now()
    await house.batches.change(made["id"], lambda it: replace(it, expires=time, due=time))
    batch = await house.ended(made["id"], "failed")
    assert [one["code"] for one in batch["errors"]["data"]] == ["models_unknown"]


async def test_repeated_ids_are_found_in_the_file(
    open_house: Callable[..., Awaitable[House]],
) -> None:
    house = await open_house()
    line = json.dumps(
        {
            "custom_id": "same",
            "url": "/v1/chat/completions",
            "body": {"model": "up/m", "messages": MESSAGES},
        }
    )
    made = await house.upload(line, line)
    batch = await house.ended(made["id"], "failed")
    (error,) = batch["errors"]["data"]
    assert (error["line"], error["code"]) == (2, "duplicate_custom_id")
    assert house.vendor.asked == []


async def test_a_fault_in_the_request_itself_names_its_index(
    open_house: Callable[..., Awaitable[House]],
) -> None:
    house = await open_house()
    line = {
        "custom_id": "a",
        "url": "/v1/chat/completions",
        "body": {"model": "up/m", "messages": MESSAGES},
    }
    for bad, param in (
        ({**line, "custom_id": "b", "method": "PUT"}, "requests[1].method"),
        (
            {**line, "custom_id": "b", "body": {"model": "up/nope", "messages": MESSAGES}},
            "requests[1].body.model",
        ),
        (line, "requests[1].custom_id"),
    ):
        status, error = await house.ask("POST", "/v1/batches", {"requests": [line, bad]})
        assert (status, error["error"]["param"]) in ((400, param), (404, param)), error


async def test_the_same_key_makes_one_batch(open_house: Callable[..., Awaitable[House]]) -> None:
    house = await open_house()
    line = {
        "custom_id": "a",
        "url": "/v1/chat/completions",
        "body": {"model": "up/m", "messages": [{"role": "user", "content": "a"}]},
    }
    body = {"requests": [line]}
    made = [await house.ask("POST", "/v1/batches", body, idempotency_key="k") for _ in range(3)]
    assert len({batch["id"] for _, batch in made}) == 1
    await house.ended(made[0][1]["id"])
    assert len(house.vendor.asked) == 1
    _, files = await house.ask("GET", "/v1/files?purpose=batch")
    assert len(files["data"]) == 1
    status, error = await house.ask(
        "POST", "/v1/batches", {**body, "metadata": {"x": "y"}}, idempotency_key="k"
    )
    assert (status, error["error"]["code"]) == (409, "idempotency_key_reused")


async def test_the_end_is_told_signed_and_again_if_need_be(
    open_house: Callable[..., Awaitable[House]],
) -> None:
    heard: list[Asked] = []

    async def hook(line: Line, asked: Asked) -> None:
        heard.append(asked)
        status = 500 if len(heard) == 1 else 204
        await line.send(f"HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n".encode())

    async with LineServer(hook) as listener:
        house = await open_house(webhook_hosts=["127.0.0.1"], webhook_secret=SECRET)
        url = f"http://127.0.0.1:{listener.port}/hook"
        made = await house.create("a", metadata={"gomodel_webhook_url": url})
        await house.ended(made["id"])
        told = await house.told(made["id"], lambda it: it.tries == 1)
        assert told.webhook is not None
        assert told.webhook.error == "status 500"
        assert told.due is not None
        await house.batches.change(made["id"], lambda it: replace(it, due=now()))
        told = await house.told(made["id"], lambda it: it.delivered is not None)
        assert told.due is None
    first, second = heard
    verified = standardwebhooks.Webhook(SECRET).verify(
        second.body.decode(),
        {
            name: second.header(name) or ""
            for name in ("webhook-id", "webhook-timestamp", "webhook-signature")
        },
    )
    assert verified["type"] == "batch.completed"
    assert verified["data"]["id"] == made["id"]
    assert first.header("webhook-id") == second.header("webhook-id")
    assert first.header("authorization") is None


async def test_an_address_that_is_not_configured_is_not_told(
    open_house: Callable[..., Awaitable[House]],
) -> None:
    house = await open_house(webhook_hosts=["hooks.example.com"], webhook_secret=SECRET)
    line = {
        "custom_id": "a",
        "url": "/v1/chat/completions",
        "body": {"model": "up/m", "messages": MESSAGES},
    }
    asked = {"requests": [line], "metadata": {"gomodel_webhook_url": "http://169.254.169.254/"}}
    status, error = await house.ask("POST", "/v1/batches", asked)
    assert (status, error["error"]["code"]) == (400, "invalid_webhook_url")
