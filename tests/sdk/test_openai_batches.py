"""Files and batches with the real OpenAI SDK: the flow of its own guide, unmodified."""

from __future__ import annotations

import asyncio
import io
import json
from typing import TYPE_CHECKING, Any

import openai
import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from openai.types import Batch

pytestmark = pytest.mark.asyncio(loop_scope="module")

ENDED = ("completed", "failed", "expired", "cancelled")
FAILS = "sandbox-text+status=400"
HANGS = "sandbox-echo+hang"


def line(id_: str, model: str = "sandbox-echo", url: str = "/v1/chat/completions") -> str:
    bodies: dict[str, dict[str, Any]] = {
        "/v1/chat/completions": {"messages": [{"role": "user", "content": f"Hello {id_}"}]},
        "/v1/responses": {"input": f"Hello {id_}"},
        "/v1/embeddings": {"input": f"Hello {id_}"},
        "/v1/completions": {"prompt": f"Hello {id_}"},
        "/v1/moderations": {"input": f"Hello {id_}"},
    }
    body = {"model": model, **bodies[url]}
    return json.dumps({"custom_id": id_, "method": "POST", "url": url, "body": body})


async def ended(client: openai.AsyncOpenAI, id_: str) -> Batch:
    async with asyncio.timeout(30):
        while True:
            batch = await client.batches.retrieve(id_)
            if batch.status in ENDED:
                return batch
            await asyncio.sleep(0.05)


async def upload(client: openai.AsyncOpenAI, *lines: str) -> str:
    content = io.BytesIO("\n".join(lines).encode())
    return (await client.files.create(file=("in.jsonl", content), purpose="batch")).id


async def lines_of(client: openai.AsyncOpenAI, file: str | None) -> dict[str, Any]:
    assert file is not None
    text = (await client.files.content(file)).text
    return {one["custom_id"]: one for one in map(json.loads, text.splitlines())}


async def test_the_flow_of_the_guide(client: openai.AsyncOpenAI, tmp_path: Path) -> None:
    given = tmp_path / "batchinput.jsonl"
    given.write_text("\n".join(line(f"request-{number}") for number in range(20)))
    with given.open("rb") as content:
        file = await client.files.create(file=content, purpose="batch")
    assert (file.filename, file.purpose, file.bytes) == (
        "batchinput.jsonl",
        "batch",
        given.stat().st_size,
    )
    batch = await client.batches.create(
        input_file_id=file.id,
        endpoint="/v1/chat/completions",
        completion_window="24h",
        metadata={"description": "nightly eval job"},
    )
    assert batch.status in ("validating", "in_progress")
    assert batch.metadata == {"description": "nightly eval job"}
    batch = await ended(client, batch.id)
    assert batch.status == "completed"
    assert batch.request_counts is not None
    assert (batch.request_counts.total, batch.request_counts.completed) == (20, 20)
    assert batch.usage is not None
    assert batch.usage.total_tokens == batch.usage.input_tokens + batch.usage.output_tokens > 0
    assert batch.error_file_id is None
    results = await lines_of(client, batch.output_file_id)
    assert list(results) == [f"request-{number}" for number in range(20)]
    first = results["request-7"]
    assert first["error"] is None
    assert first["response"]["status_code"] == 200
    reply = openai.types.chat.ChatCompletion.model_validate(first["response"]["body"])
    assert reply.choices[0].message.content == "Hello request-7"


async def test_the_flow_in_a_thread(threaded: Any) -> None:
    def flow(sdk: openai.OpenAI) -> str:
        content = io.BytesIO(line("only").encode())
        file = sdk.files.create(file=("in.jsonl", content), purpose="batch")
        batch = sdk.batches.create(
            input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h"
        )
        assert sdk.files.wait_for_processing(file.id).status == "processed"
        while sdk.batches.retrieve(batch.id).status not in ENDED:
            pass
        output = sdk.batches.retrieve(batch.id).output_file_id
        assert output is not None
        return sdk.files.content(output).text

    assert json.loads(await threaded(flow))["custom_id"] == "only"


@pytest.mark.parametrize(
    ("url", "model"),
    [
        ("/v1/chat/completions", "sandbox-echo"),
        ("/v1/responses", "sandbox-echo"),
        ("/v1/embeddings", "sandbox-embedding"),
        ("/v1/completions", "sandbox-text"),
        ("/v1/moderations", "sandbox-moderation"),
    ],
)
async def test_every_operation(client: openai.AsyncOpenAI, url: Any, model: str) -> None:
    file = await upload(client, line("a", model, url))
    batch = await client.batches.create(input_file_id=file, endpoint=url, completion_window="24h")
    batch = await ended(client, batch.id)
    assert (batch.status, batch.endpoint) == ("completed", url)
    results = await lines_of(client, batch.output_file_id)
    assert results["a"]["response"]["status_code"] == 200


async def test_failures_are_in_the_error_file(client: openai.AsyncOpenAI) -> None:
    file = await upload(client, line("good"), line("bad", FAILS))
    batch = await client.batches.create(
        input_file_id=file, endpoint="/v1/chat/completions", completion_window="24h"
    )
    batch = await ended(client, batch.id)
    assert batch.status == "completed"
    assert list(await lines_of(client, batch.output_file_id)) == ["good"]
    failures = await lines_of(client, batch.error_file_id)
    assert failures["bad"]["response"]["status_code"] == 400
    assert failures["bad"]["response"]["body"]["error"]["message"]


async def test_a_file_with_faults_fails_with_their_lines(client: openai.AsyncOpenAI) -> None:
    file = await upload(client, line("a"), "no json", line("a"), line("b", "no-such-model"))
    batch = await client.batches.create(
        input_file_id=file, endpoint="/v1/chat/completions", completion_window="24h"
    )
    batch = await ended(client, batch.id)
    assert batch.status == "failed"
    assert batch.errors is not None
    assert batch.errors.object == "list"
    assert batch.errors.data is not None
    assert [fault.line for fault in batch.errors.data][:2] == [2, 4]
    assert batch.output_file_id is None


async def test_cancelling_keeps_what_is_there(client: openai.AsyncOpenAI) -> None:
    file = await upload(client, line("quick"), line("never", HANGS))
    batch = await client.batches.create(
        input_file_id=file, endpoint="/v1/chat/completions", completion_window="24h"
    )
    async with asyncio.timeout(30):
        while True:
            now = await client.batches.retrieve(batch.id)
            if now.request_counts is not None and now.request_counts.completed == 1:
                break
            await asyncio.sleep(0.05)
    assert (await client.batches.cancel(batch.id)).status == "cancelling"
    batch = await ended(client, batch.id)
    assert batch.status == "cancelled"
    assert list(await lines_of(client, batch.output_file_id)) == ["quick"]
    never = (await lines_of(client, batch.error_file_id))["never"]
    assert (never["response"], never["error"]["code"]) == (None, "batch_cancelled")


async def test_lists_are_walked(client: openai.AsyncOpenAI) -> None:
    files = [await upload(client, line("a")) for _ in range(3)]
    batches = [
        await client.batches.create(
            input_file_id=file, endpoint="/v1/chat/completions", completion_window="24h"
        )
        for file in files
    ]
    walked = [one.id async for one in client.batches.list(limit=2)]
    assert walked[:3] == [batch.id for batch in batches[::-1]]
    kept = [one.id async for one in client.files.list(limit=2, purpose="batch")]
    assert kept[:3] == files[::-1]
    assert (await client.files.delete(files[0])).deleted
    with pytest.raises(openai.NotFoundError) as refused:
        await client.files.retrieve(files[0])
    assert refused.value.code == "file_not_found"


async def test_refusals_are_the_sdks_own_errors(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError):
        await client.batches.retrieve("batch_none")
    with pytest.raises(openai.NotFoundError) as missing:
        await client.batches.create(
            input_file_id="file-none", endpoint="/v1/responses", completion_window="24h"
        )
    assert missing.value.param == "input_file_id"


async def test_a_file_of_the_gateways_is_none_of_a_models(client: openai.AsyncOpenAI) -> None:
    file = await upload(client, line("a"))
    parts: Any = [{"type": "file", "file": {"file_id": file}}]
    with pytest.raises(openai.BadRequestError) as refused:
        await client.chat.completions.create(
            model="sandbox-echo", messages=[{"role": "user", "content": parts}]
        )
    assert refused.value.code == "file_not_at_provider"
    assert "kept by the gateway" in refused.value.message
