"""Batches that OpenAI executes: each line settled once, whatever happens on the way."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from gomodel_proxy.api import ANONYMOUS
from gomodel_proxy.engine.batches import desk
from gomodel_proxy.testing.openai_vendor import OpenAIVendor
from gomodel_proxy.testing.shipped import Shipped, account, chat, shipped
from gomodel_proxy.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

CANARY = "sk-canary-of-openai"
LINES = {name: chat(f"word {name}") for name in "abcde"}


def provider(vendor: OpenAIVendor, **more: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "base_url": f"{vendor.url}/v1",
        "api_key": CANARY,
        "models": ["m", "n"],
        "prices": {"m": {"input": "2", "output": "8", "batch_input": "1", "batch_output": "4"}},
        **more,
    }
    return account("openai", **given)


@pytest.fixture
async def vendor() -> AsyncIterator[OpenAIVendor]:
    async with OpenAIVendor() as vendor:
        yield vendor


@pytest.fixture
async def gateway(vendor: OpenAIVendor, tmp_path: Path) -> AsyncIterator[Shipped]:
    providers = {"openai": provider(vendor)}
    async with shipped(providers, tmp_path, plugins=["anthropic"]) as gateway:
        yield gateway


async def test_a_batch_that_nobody_asks_about_is_settled_once(
    gateway: Shipped, vendor: OpenAIVendor
) -> None:
    await gateway.create(LINES)
    async with asyncio.timeout(10):
        while len(await gateway.rows()) < len(LINES):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    rows = await gateway.rows()
    assert len(vendor.batches) == 1
    assert {row["status"] for row in rows} == {"ok"}
    assert sum(row["attempts"][0]["input_tokens"] for row in rows) == 7 * len(LINES)
    # 7 tokens at $1 and 3 at $4 a million, in pico-USD
    assert {row["attempts"][0]["total_cost"] for row in rows} == {7_000_000 + 12_000_000}


async def test_asking_ten_times_changes_nothing(gateway: Shipped, vendor: OpenAIVendor) -> None:
    id_ = await gateway.create(LINES)
    first = await gateway.ended(id_)
    asked = len(vendor.asked)
    answers = [await gateway.batch(id_) for _ in range(10)]
    assert answers == [first] * 10
    assert len(await gateway.rows()) == len(LINES)
    assert len(vendor.asked) == asked
    assert first["status"] == "completed"
    assert first["usage"]["total_tokens"] == 10 * len(LINES)


async def test_what_is_sent(gateway: Shipped, vendor: OpenAIVendor) -> None:
    id_ = await gateway.create(LINES, metadata={"team": "blue", "gomodel_mode": "native"})
    await gateway.ended(id_)
    (batch,) = vendor.batches.values()
    assert batch.asked["metadata"] == {"gomodel_shipment": f"{id_}-0"}  # nothing of the caller's
    assert batch.asked["endpoint"] == "/v1/chat/completions"
    assert [line["body"] for line in batch.lines] == list(LINES.values())
    hexed = id_.removeprefix("batch_")
    assert [line["custom_id"] for line in batch.lines] == [f"{hexed}-{n}" for n in range(5)]
    assert vendor.files == {}  # cleared away


async def test_the_error_file_is_read_too(gateway: Shipped) -> None:
    id_ = await gateway.create({"good": chat("good"), "bad": chat("fail")})
    batch = await gateway.ended(id_)
    assert batch["request_counts"]["completed"] == 1
    assert batch["request_counts"]["failed"] == 1
    results = await gateway.results(id_)
    assert results["good"]["response"]["choices"][0]["message"]["content"] == "echo good"
    assert results["bad"]["status_code"] == 400
    assert results["bad"]["error"]["message"] == "bad words"


async def test_results_come_in_the_lines_own_dialect(gateway: Shipped) -> None:
    lines = {"one": chat("hello", max_tokens=10)}
    id_ = await gateway.create(lines, "/v1/messages")
    await gateway.ended(id_)
    reply = (await gateway.results(id_))["one"]["response"]
    assert reply["type"] == "message"
    assert reply["content"] == [{"type": "text", "text": "echo hello"}]
    assert reply["usage"]["output_tokens"] == 3


async def test_lines_without_results_and_results_without_sense(
    gateway: Shipped, vendor: OpenAIVendor
) -> None:
    def spoil(lines: list[bytes]) -> list[bytes]:
        foreign = lines[0].replace(b'"custom_id": "', b'"custom_id": "x')
        return [b"{", lines[0], lines[0], foreign, b"[]", b'{"custom_id":3}', *lines[2:4]]

    vendor.spoil = spoil
    id_ = await gateway.create(LINES)
    batch = await gateway.ended(id_)
    assert batch["request_counts"]["completed"] == 3
    assert batch["request_counts"]["failed"] == 2
    results = await gateway.results(id_)
    assert list(results) == list(LINES)  # results always number the lines
    assert results["b"]["error"]["type"] == "missing_result"
    rows = {row["id"][-1]: row["status"] for row in await gateway.rows()}
    assert rows == {"0": "ok", "1": "unknown", "2": "ok", "3": "ok", "4": "unknown"}


async def test_limits_split_a_batch(vendor: OpenAIVendor, tmp_path: Path) -> None:
    providers = {"openai": provider(vendor)}
    async with shipped(providers, tmp_path, shipment_size="1KiB") as gateway:
        id_ = await gateway.create(LINES)
        batch = await gateway.ended(id_)
    assert len(vendor.batches) > 1
    assert sum(len(one.lines) for one in vendor.batches.values()) == len(LINES)
    assert batch["request_counts"]["completed"] == len(LINES)


async def test_one_batch_for_several_providers(vendor: OpenAIVendor, tmp_path: Path) -> None:
    sandbox = {"type": "sandbox"}
    async with shipped({"openai": provider(vendor), "box": sandbox}, tmp_path) as gateway:
        lines = {"theirs": chat("hi"), "ours": chat("hi", "box/sandbox-echo")}
        id_ = await gateway.create(lines)
        batch = await gateway.ended(id_)
        results = await gateway.results(id_)
    assert batch["request_counts"]["completed"] == 2
    assert results["theirs"]["provider"] == "openai"
    assert results["ours"]["provider"] == "box"
    assert [len(one.lines) for one in vendor.batches.values()] == [1]


async def test_two_models_are_two_shipments(gateway: Shipped, vendor: OpenAIVendor) -> None:
    id_ = await gateway.create({"a": chat("a"), "b": chat("b", "n"), "c": chat("c")})
    await gateway.ended(id_)
    assert sorted(len(one.lines) for one in vendor.batches.values()) == [1, 2]


# ---------------------------------------------------------------- submitting


async def test_an_answer_that_is_lost_submits_nothing_twice(
    gateway: Shipped, vendor: OpenAIVendor
) -> None:
    vendor.drop = 1
    batch = await gateway.ended(await gateway.create(LINES))
    assert batch["status"] == "completed"
    assert len(vendor.batches) == 1
    assert not batch["errors"]


async def test_a_submission_that_was_not_taken_is_made_again(
    gateway: Shipped, vendor: OpenAIVendor
) -> None:
    vendor.refuse = [(500, {"error": {"message": "oops"}}), (429, {"error": {"message": "slow"}})]
    vendor.retry_after = "999999999"  # asked again all the same, after batches.poll_max
    batch = await gateway.ended(await gateway.create(LINES))
    assert batch["status"] == "completed"
    assert len(vendor.batches) == 1
    assert vendor.count("POST", "/v1/batches") == 3


async def test_a_refusal_is_the_error_of_every_line(gateway: Shipped, vendor: OpenAIVendor) -> None:
    said = {"error": {"message": f"bad file of {CANARY}", "type": "invalid_request_error"}}
    vendor.refuse = [(400, said)]
    id_ = await gateway.create(LINES)
    batch = await gateway.ended(id_)
    assert batch["request_counts"]["failed"] == len(LINES)
    assert vendor.files == {}  # the uploaded file went with it
    results = await gateway.results(id_)
    assert {one["status_code"] for one in results.values()} == {400}
    assert CANARY not in json.dumps([batch, results])
    assert "bad file" in results["a"]["error"]["message"]


async def test_where_nobody_can_tell_nothing_is_sent_again(
    gateway: Shipped, vendor: OpenAIVendor
) -> None:
    vendor.drop, vendor.unlisted = 1, 403
    id_ = await gateway.create(LINES)
    batch = await gateway.uncertain(id_)
    (error,) = batch["errors"]["data"]
    assert error["code"] == "submission_uncertain"
    assert "'openai'" in error["message"]
    assert f"{id_}-0" in error["message"]
    assert vendor.count("POST", "/v1/batches") == 1
    vendor.unlisted = 0
    batch = await gateway.ended(id_)  # it is asked again
    assert batch["status"] == "completed"
    assert len(vendor.batches) == 1
    assert not batch["errors"]


async def test_it_is_sent_again_on_the_operators_word(
    gateway: Shipped, vendor: OpenAIVendor
) -> None:
    vendor.drop, vendor.unlisted = 1, 403
    id_ = await gateway.create(LINES)
    await gateway.uncertain(id_)
    assert gateway.gateway is not None
    await desk.resend(gateway.gateway.gateway.generation, ANONYMOUS, id_)
    batch = await gateway.ended(id_)
    assert batch["status"] == "completed"
    assert len(vendor.batches) == 2
    assert not batch["errors"]
    assert len(await gateway.rows()) == len(LINES)


async def test_a_vendor_that_has_no_room_is_asked_again(
    gateway: Shipped, vendor: OpenAIVendor
) -> None:
    vendor.status = "failed"
    vendor.errors = [{"code": "token_limit_exceeded", "message": "too much is waiting"}]
    id_ = await gateway.create(LINES)
    await until(lambda: len(vendor.batches) == 2)
    vendor.status = "completed"
    batch = await gateway.ended(id_)
    assert batch["request_counts"]["completed"] == len(LINES)


async def test_a_batch_that_the_vendor_fails_fails_its_lines(
    gateway: Shipped, vendor: OpenAIVendor
) -> None:
    vendor.status = "failed"
    vendor.errors = [{"code": "invalid_request", "message": "line 1 is bad"}]
    id_ = await gateway.create(LINES)
    await gateway.ended(id_)
    results = await gateway.results(id_)
    assert "line 1 is bad" in results["e"]["error"]["message"]
    assert len(vendor.batches) == 1


async def test_a_vendor_that_is_down_fails_its_own_lines_alone(
    vendor: OpenAIVendor, tmp_path: Path
) -> None:
    down = provider(vendor, base_url="http://127.0.0.1:9/v1")
    providers = {"openai": down, "box": {"type": "sandbox"}}
    async with shipped(providers, tmp_path, tries=2) as gateway:
        lines = {"theirs": chat("hi"), "ours": chat("hi", "box/sandbox-echo")}
        id_ = await gateway.create(lines)
        batch = await gateway.ended(id_)
        results = await gateway.results(id_)
    assert (batch["request_counts"]["completed"], batch["request_counts"]["failed"]) == (1, 1)
    assert results["theirs"]["status_code"] == 502
    assert results["ours"]["status_code"] == 200


# ---------------------------------------------------------------- stopping


async def test_cancelling_keeps_what_there_is(gateway: Shipped, vendor: OpenAIVendor) -> None:
    vendor.ended = False
    id_ = await gateway.create({"good": chat("good"), "late": chat("fail")})
    await until(lambda: vendor.batches)
    await gateway.send("POST", f"/v1/batches/{id_}/cancel")
    await until(lambda: all(one.cancelled for one in vendor.batches.values()))
    vendor.status, vendor.ended = "cancelled", True
    batch = await gateway.ended(id_)
    assert batch["status"] == "cancelled"
    results = await gateway.results(id_)
    assert results["good"]["status_code"] == 200
    assert results["late"]["error"]["type"] == "batch_cancelled"
    assert vendor.count("POST", "/cancel") == 1


async def test_what_the_vendor_lets_expire(gateway: Shipped, vendor: OpenAIVendor) -> None:
    vendor.status = "expired"
    id_ = await gateway.create({"good": chat("good"), "late": chat("fail")})
    batch = await gateway.ended(id_)
    assert batch["status"] == "completed"
    results = await gateway.results(id_)
    assert results["late"]["error"]["type"] == "batch_expired"
