"""The real OpenAI SDK's flow over a provider that has batches of its own."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import openai

from gomodel_proxy.testing.openai_vendor import OpenAIVendor
from gomodel_proxy.testing.shipped import account, chat, shipped

if TYPE_CHECKING:
    from pathlib import Path


async def test_the_flow_of_the_guide(tmp_path: Path) -> None:
    given = tmp_path / "batchinput.jsonl"
    lines = [
        {
            "custom_id": f"request-{number}",
            "method": "POST",
            "url": "/v1/chat/completions",
            "body": chat(f"word {number}"),
        }
        for number in range(5)
    ]
    given.write_text("\n".join(map(json.dumps, lines)))
    async with OpenAIVendor() as vendor:
        providers = {"up": account("openai", f"{vendor.url}/v1")}
        async with (
            shipped(providers, tmp_path / "gateway") as gateway,
            openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key="x", max_retries=0) as client,
        ):
            with given.open("rb") as content:
                file = await client.files.create(file=content, purpose="batch")
            batch = await client.batches.create(
                input_file_id=file.id,
                endpoint="/v1/chat/completions",
                completion_window="24h",
            )
            async with asyncio.timeout(15):
                while batch.status != "completed":
                    batch = await client.batches.retrieve(batch.id)
            assert batch.output_file_id is not None
            text = (await client.files.content(batch.output_file_id)).text
        assert len(vendor.batches) == 1
    answers = [json.loads(line) for line in text.splitlines()]
    assert [one["custom_id"] for one in answers] == [line["custom_id"] for line in lines]
    assert {one["response"]["status_code"] for one in answers} == {200}
    assert batch.request_counts is not None
    assert (batch.request_counts.total, batch.request_counts.completed) == (5, 5)
