"""Batches that Gemini executes: said without a socket, and through a gateway."""

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
from gomodel_proxy_gemini import GeminiConfig, open_gemini

from .vendor import GeminiVendor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gomodel_proxy.testing.shipped import Shipped

HOST = "https://generativelanguage.googleapis.com"
RUNTIME: Any = SimpleNamespace(name="gemini", base=Path(), log=None)
PLACE = (("x-goog-upload-url", "https://elsewhere.example/upload/v1beta/files?upload_id=7"),)


async def shipping(**settings: Any) -> Shipping | None:
    config = GeminiConfig(type="gemini", api_key=Secret("sk-canary"), **settings)
    async with open_gemini(config, RUNTIME) as account:
        found: Shipping | None = account.shipping  # type: ignore[attr-defined]
        return found


def operation(state: str = "PENDING", mark: str = "batch_1-0", **more: Any) -> dict[str, Any]:
    about = {"state": f"BATCH_STATE_{state}", "displayName": mark}
    return {"name": "batches/v", "metadata": about, **more}


async def test_it_ships_at_home_and_where_it_is_told_to() -> None:
    assert await shipping() is not None
    assert await shipping(batches=False) is None
    assert await shipping(base_url="https://acme.example/v1beta") is None


async def test_submitting_uploads_to_the_configured_host_and_creates() -> None:
    ships = await shipping()
    assert ships is not None
    assert ships.terms("gemini.embed", "m") is None
    line = ships.line("ab-0", "gemini.generate", "m", b'{"contents":[]}')
    assert json.loads(line) == {"key": "ab-0", "request": {"contents": []}}
    steps = ships.submit(shipment(model="gemini-2.5-flash"), [line, line])
    taken, asked = talk(steps, PLACE, {"file": {"name": "files/f"}}, operation())
    start, upload, create = asked
    assert start.url == f"{HOST}/upload/v1beta/files"
    assert dict(start.extra)["x-goog-upload-header-content-length"] == str(2 * len(line) + 2)
    assert upload.url == f"{HOST}/upload/v1beta/files?upload_id=7"
    assert (upload.headers, upload.body) == ((), line + b"\n" + line + b"\n")
    assert create.url == f"{HOST}/v1beta/models/gemini-2.5-flash:batchGenerateContent"
    config = {"displayName": "batch_1-0", "inputConfig": {"fileName": "files/f"}}
    assert json.loads(create.body) == {"batch": config}
    assert (taken.id, taken.state) == ("batches/v", "running")
    (delete,) = ships.leftovers(shipment(vendor=taken.data))
    assert (delete.method, delete.url) == ("DELETE", f"{HOST}/v1beta/files/f")


async def test_a_refused_batch_leaves_no_file() -> None:
    ships = await shipping()
    assert ships is not None
    refusal = UpstreamError("no", status=400)
    with pytest.raises(UpstreamError, match="no"):
        talk(ships.submit(shipment(), [b"{}"]), PLACE, {"file": {"name": "files/f"}}, refusal, {})


async def test_it_is_found_by_its_mark_on_a_later_page() -> None:
    ships = await shipping()
    assert ships is not None
    other = operation(mark="x")
    other["metadata"]["createTime"] = "2026-09-21T14:14:00Z"
    found, (_, second) = talk(
        ships.find(shipment(), []),
        {"operations": [other], "nextPageToken": "t"},
        {"operations": [operation("RUNNING")]},
    )
    assert found is not None
    assert found.state == "running"
    assert second.url.endswith("/v1beta/batches?pageSize=100&pageToken=t")
    found, _ = talk(ships.find(shipment(), []), {})
    assert found is None


@pytest.mark.parametrize(
    ("state", "ours", "rest"),
    [
        ("PENDING", "running", "missing"),
        ("SUCCEEDED", "ended", "missing"),
        ("CANCELLED", "ended", "cancelled"),
        ("EXPIRED", "ended", "expired"),
        ("FAILED", "failed", "missing"),
    ],
)
async def test_states(state: str, ours: str, rest: str) -> None:
    ships = await shipping()
    assert ships is not None
    about = operation(state, error={"message": "why"})
    read, (asked,) = talk(ships.poll(shipment(vendor_id="batches/v")), about)
    assert (read.state, read.rest) == (ours, rest)
    assert read.error == ("why" if ours == "failed" else None)
    assert asked.url == f"{HOST}/v1beta/batches/v"


async def test_results() -> None:
    ships = await shipping()
    assert ships is not None
    ended = operation("SUCCEEDED", response={"responsesFile": "files/out"})
    read, _ = talk(ships.poll(shipment(vendor_id="batches/v")), ended)
    (asked,) = ships.results(shipment(vendor=read.data))
    assert asked.url == f"{HOST}/download/v1beta/files/out:download?alt=media"
    good = ships.result(b'{"key":"a","response":{"candidates":[]}}')
    assert (good.line, good.status, good.body) == ("a", 200, b'{"candidates":[]}')
    bad = ships.result(b'{"key":"a","error":{"code":3,"message":"no"}}')
    assert (bad.status, bad.body) == (400, b'{"error":{"code":3,"message":"no"}}')
    for line in (b"", b"{", b'{"key":"a"}', b'{"response":{}}'):
        with pytest.raises(ValueError):
            ships.result(line)


# ---------------------------------------------------------------- through a gateway


@pytest.fixture
async def vendor() -> AsyncIterator[GeminiVendor]:
    async with GeminiVendor() as vendor:
        yield vendor


@pytest.fixture
async def gateway(vendor: GeminiVendor, tmp_path: Path) -> AsyncIterator[Shipped]:
    providers = {"gemini": account("gemini", f"{vendor.url}/v1beta")}
    async with shipped(providers, tmp_path) as gateway:
        yield gateway


async def test_chat_lines_over_gemini(gateway: Shipped, vendor: GeminiVendor) -> None:
    id_ = await gateway.create({"one": chat("hello"), "bad": chat("fail")})
    await gateway.ended(id_)
    results = await gateway.results(id_)
    assert results["one"]["response"]["choices"][0]["message"]["content"] == "echo hello"
    assert results["bad"]["status_code"] == 400
    assert results["bad"]["error"]["message"] == "bad words"
    assert len(await gateway.rows()) == 2
    await until(lambda: not vendor.files)


async def test_an_answer_that_is_lost_submits_nothing_twice(
    gateway: Shipped, vendor: GeminiVendor
) -> None:
    vendor.drop = 1
    id_ = await gateway.create({"one": chat("hello")})
    assert (await gateway.ended(id_))["request_counts"]["completed"] == 1
    assert len(vendor.batches) == 1


async def test_embeddings_are_executed_here(gateway: Shipped, vendor: GeminiVendor) -> None:
    body = {"model": "m", "input": ["one", "two"]}
    id_ = await gateway.create({"one": body}, "/v1/embeddings")
    await gateway.ended(id_)
    assert not vendor.batches
    assert vendor.count("POST", "Contents")


async def test_cancelling(gateway: Shipped, vendor: GeminiVendor) -> None:
    vendor.ended = False
    id_ = await gateway.create({"one": chat("hello")})
    await until(lambda: vendor.batches)
    await gateway.send("POST", f"/v1/batches/{id_}/cancel")
    batch = await gateway.ended(id_)
    assert batch["status"] == "cancelled"
