"""Message Batches with the real Anthropic SDK, over providers that have and have not their own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import anthropic
import pytest
import pytest_asyncio

from gomodel_proxy.testing.served import Served
from gomodel_proxy.testing.shipped import account, shipped

from .vendor import AnthropicVendor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from anthropic.types.messages import MessageBatch

pytestmark = pytest.mark.asyncio(loop_scope="module")

HANGS = "sandbox-echo+hang"
FAILS = "sandbox-echo+status=400"
CONFIG = {
    "plugins": {"enabled": ["anthropic"]},
    "providers": {
        "sandbox": {
            "type": "sandbox",
            "models": ["sandbox-echo", HANGS, FAILS],
            "models_mode": "allowlist",
        }
    },
    "auth": {"keys": {"app": {"key": "sk-app"}}},
    "batches": {"look": "20ms"},
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with (
        Served(CONFIG, tmp_path_factory.mktemp("gateway")) as gateway,
        anthropic.AsyncAnthropic(
            base_url=gateway.url,
            api_key="sk-app",
            max_retries=0,
            _strict_response_validation=True,
        ) as opened,
    ):
        yield opened


def asked(id_: str, model: str = "sandbox-echo") -> Any:
    messages = [{"role": "user", "content": f"Hello {id_}"}]
    return {"custom_id": id_, "params": {"model": model, "max_tokens": 99, "messages": messages}}


async def ended(client: anthropic.AsyncAnthropic, id_: str) -> MessageBatch:
    async with asyncio.timeout(30):
        while True:
            batch = await client.messages.batches.retrieve(id_)
            if batch.processing_status == "ended":
                return batch
            await asyncio.sleep(0.05)


async def test_a_batch_from_making_to_deleting(client: anthropic.AsyncAnthropic) -> None:
    batches = client.messages.batches
    made = await batches.create(requests=[asked("a"), asked("b"), asked("c", FAILS)])
    assert (made.type, made.processing_status) == ("message_batch", "in_progress")
    assert (made.expires_at - made.created_at).total_seconds() == 24 * 3600
    batch = await ended(client, made.id)
    counts = batch.request_counts
    assert (counts.processing, counts.succeeded, counts.errored) == (0, 2, 1)
    assert batch.ended_at is not None
    results = {one.custom_id: one.result async for one in await batches.results(made.id)}
    assert list(results) == ["a", "b", "c"]
    first = results["b"]
    assert first.type == "succeeded"
    (block,) = first.message.content
    assert block.type == "text"
    assert block.text == "Hello b"
    assert first.message.usage.output_tokens > 0
    refused = results["c"]
    assert refused.type == "errored"
    assert refused.error.error.type == "invalid_request_error"
    deleted = await batches.delete(made.id)
    assert (deleted.id, deleted.type) == (made.id, "message_batch_deleted")
    with pytest.raises(anthropic.NotFoundError):
        await batches.retrieve(made.id)


async def test_cancelling(client: anthropic.AsyncAnthropic) -> None:
    batches = client.messages.batches
    made = await batches.create(requests=[asked("never", HANGS)])
    with pytest.raises(anthropic.BadRequestError):
        await batches.delete(made.id)
    with pytest.raises(anthropic.AnthropicError, match="No `results_url`"):
        await batches.results(made.id)
    stopped = await batches.cancel(made.id)
    assert stopped.processing_status in ("canceling", "ended")
    batch = await ended(client, made.id)
    assert batch.cancel_initiated_at is not None
    assert batch.request_counts.canceled == 1
    (only,) = [one async for one in await batches.results(made.id)]
    assert only.result.type == "canceled"


async def test_lists_are_walked_both_ways(client: anthropic.AsyncAnthropic) -> None:
    batches = client.messages.batches
    ids = [(await batches.create(requests=[asked("a")])).id for _ in range(5)][::-1]
    walked = [one.id async for one in batches.list(limit=2)]
    assert walked[:5] == ids
    page = await batches.list(limit=2, before_id=ids[4])
    assert [one.id for one in page.data] == ids[2:4]
    back = [one.id async for one in batches.list(limit=2, before_id=ids[4])]
    assert sorted(back) == sorted(ids[:4])


async def test_what_is_wrong_is_said_before_anything_is_kept(
    client: anthropic.AsyncAnthropic,
) -> None:
    batches = client.messages.batches
    for requests, word in (
        ([asked("a"), asked("a")], "custom_id"),
        ([asked("a", "no-such-model")], "no-such-model"),
        ([], "empty"),
    ):
        with pytest.raises(anthropic.APIStatusError, match=word) as refused:
            await batches.create(requests=requests)
        assert refused.value.status_code in (400, 404)


async def test_over_a_vendors_own_batches(tmp_path: Path) -> None:
    async with AnthropicVendor() as vendor:
        providers = {"up": account("anthropic", f"{vendor.url}/v1")}
        async with (
            shipped(providers, tmp_path) as gateway,
            anthropic.AsyncAnthropic(
                base_url=gateway.url, api_key="x", max_retries=0, _strict_response_validation=True
            ) as client,
        ):
            made = await client.messages.batches.create(requests=[asked("a", "m"), asked("b", "m")])
            batch = await ended(client, made.id)
            decoder = await client.messages.batches.results(made.id)
            results = {one.custom_id: one.result async for one in decoder}
        assert len(vendor.batches) == 1
    assert (batch.request_counts.succeeded, batch.request_counts.errored) == (2, 0)
    for name in ("a", "b"):
        result = results[name]
        assert result.type == "succeeded"
        (block,) = result.message.content
        assert block.type == "text"
        assert block.text == f"echo Hello {name}"
