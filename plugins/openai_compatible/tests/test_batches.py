"""Vendors that copy OpenAI's batches, each in its own way."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from gomodel_proxy.api import Secret, Shipping
from gomodel_proxy.testing.dialogue import shipment, talk
from gomodel_proxy.testing.shipped import account, chat, shipped
from gomodel_proxy.wire.openai_account import OpenAIAccount
from gomodel_proxy_openai_compatible import OpenAICompatibleConfig, open_openai_compatible
from gomodel_proxy_openai_compatible.batches import KINDS

from .vendor import MistralVendor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gomodel_proxy.testing.shipped import Shipped

BASE = "https://api.acme.example/v1"
RUNTIME: Any = SimpleNamespace(name="acme", base=Path(), log=None)


def shipping(kind: str) -> Shipping:
    account = OpenAIAccount(base_url=BASE, api_key=Secret("sk-canary"), shipping=KINDS[kind])
    assert account.shipping is not None
    return account.shipping


async def test_batches_are_handed_over_where_the_settings_say_how() -> None:
    for settings, hands_over in (({}, False), ({"batches": "groq"}, True)):
        config = OpenAICompatibleConfig(type="openai_compatible", base_url=BASE, **settings)
        async with open_openai_compatible(config, RUNTIME) as account:
            assert (account.shipping is not None) is hands_over  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("kind", "chat", "responses", "by_model", "lines"),
    [
        ("openai", True, True, True, 50_000),
        ("azure", True, True, True, 100_000),
        ("groq", True, False, False, 50_000),
        ("mistral", True, False, True, 50_000),
        ("xai", True, True, False, 50_000),
    ],
)
def test_terms(kind: str, chat: bool, responses: bool, by_model: bool, lines: int) -> None:
    ships = shipping(kind)
    terms = ships.terms("openai.chat", "m")
    assert (terms is not None) == chat
    assert (ships.terms("openai.responses", "m") is not None) == responses
    assert terms is not None
    assert (terms.by_model, terms.lines) == (by_model, lines)


def test_azure_begins_its_words_with_capitals() -> None:
    told = {"id": "batch_v", "status": "Validating", "created_at": "2026-09-21T14:14:00.1234567Z"}
    read, _ = talk(shipping("azure").poll(shipment(vendor_id="batch_v")), told)
    assert read.state == "running"


# ---------------------------------------------------------------- mistral


def job(status: str, **more: Any) -> dict[str, Any]:
    return {"id": "job", "status": status, "input_files": ["file-in"], "errors": [], **more}


def test_a_mistral_job() -> None:
    ships = shipping("mistral")
    line = ships.line("ab-0", "openai.chat", "m", b'{"model":"m","messages":[]}')
    assert json.loads(line) == {"custom_id": "ab-0", "body": {"messages": []}}
    taken, (_, create) = talk(ships.submit(shipment(), [line]), {"id": "file-in"}, job("QUEUED"))
    assert create.url == f"{BASE}/batch/jobs"
    assert json.loads(create.body) == {
        "input_files": ["file-in"],
        "model": "m",
        "endpoint": "/v1/chat/completions",
        "timeout_hours": 24,
        "metadata": {"gomodel_shipment": "batch_1-0"},
    }
    assert taken.state == "running"


@pytest.mark.parametrize(
    ("status", "state", "rest"),
    [
        ("RUNNING", "running", "missing"),
        ("CANCELLATION_REQUESTED", "cancelling", "missing"),
        ("SUCCESS", "ended", "missing"),
        ("TIMEOUT_EXCEEDED", "ended", "expired"),
        ("CANCELLED", "ended", "cancelled"),
        ("FAILED", "failed", "missing"),
    ],
)
def test_mistral_states(status: str, state: str, rest: str) -> None:
    steps = shipping("mistral").poll(shipment(vendor_id="job"))
    read, (asked,) = talk(steps, job(status, errors=[{"message": "why"}]))
    assert (read.state, read.rest) == (state, rest)
    assert read.error == ("why" if state == "failed" else None)
    assert asked.url == f"{BASE}/batch/jobs/job"


def test_a_failed_mistral_job_with_results_has_ended() -> None:
    steps = shipping("mistral").poll(shipment(vendor_id="job"))
    read, _ = talk(steps, job("FAILED", error_file="file-err"))
    assert read.state == "ended"
    (asked,) = shipping("mistral").results(shipment(vendor=read.data))
    assert asked.url == f"{BASE}/files/file-err/content"


def test_a_mistral_job_is_found_by_its_mark() -> None:
    mine = job("RUNNING", metadata={"gomodel_shipment": "batch_1-0"})
    others = [job("RUNNING", metadata={})] * 100
    found, (one, two) = talk(
        shipping("mistral").find(shipment(), []), {"data": others}, {"data": [mine]}
    )
    assert found is not None
    assert "page=0&page_size=100&created_after=2026-" in one.url
    assert "page=1&" in two.url


# ---------------------------------------------------------------- xai


def test_an_xai_batch() -> None:
    ships = shipping("xai")
    told = {"batch_id": "batch_x", "state": {"num_requests": 0}}
    taken, (_, create) = talk(ships.submit(shipment(), [b"{}"]), {"id": "file-in"}, told)
    assert json.loads(create.body) == {"name": "batch_1-0", "input_file_id": "file-in"}
    assert (taken.id, taken.state) == ("batch_x", "running")
    _, (cancel,) = talk(ships.cancel(shipment(vendor_id="batch_x")), {})
    assert cancel.url == f"{BASE}/batches/batch_x:cancel"


@pytest.mark.parametrize(
    ("told", "state", "rest"),
    [
        ({"state": {"num_requests": 0}}, "running", "missing"),
        ({"state": {"num_requests": 2, "num_pending": 1}}, "running", "missing"),
        ({"state": {"num_requests": 2, "num_pending": 0}}, "ended", "missing"),
        ({"state": {"num_requests": 2}, "cancel_time": "2026-09-21"}, "ended", "cancelled"),
        ({"cancel_time": "2026-09-21", "cancel_by_xai_message": "bad"}, "failed", "missing"),
    ],
)
def test_xai_has_counters_for_states(told: dict[str, Any], state: str, rest: str) -> None:
    read, _ = talk(shipping("xai").poll(shipment(vendor_id="b")), {"batch_id": "b", **told})
    assert (read.state, read.rest) == (state, rest)


def test_xai_is_searched_by_name() -> None:
    mine = {"batch_id": "b", "name": "batch_1-0", "state": {"num_requests": 1}}
    found, (_, second) = talk(
        shipping("xai").find(shipment(), []),
        {"batches": [{"batch_id": "a", "name": "x"}], "pagination_token": "t"},
        {"batches": [mine]},
    )
    assert found is not None
    assert second.url.endswith("pagination_token=t")
    assert talk(shipping("xai").find(shipment(), []), {"batches": []})[0] is None


def test_xai_results_come_in_pages() -> None:
    ships: Any = shipping("xai")
    good = {
        "batch_request_id": "a",
        "batch_result": {"response": {"chat_get_completion": {"x": 1}}},
    }
    bad = {"batch_request_id": "b", "batch_result": {"error": {"message": "no luck"}}}
    page = json.dumps({"results": [good, bad], "pagination_token": "t"}).encode()
    lines, following = ships.page(shipment(vendor_id="v"), page)
    assert following.url == f"{BASE}/batches/v/results?limit=100&pagination_token=t"
    one, two = map(ships.result, lines)
    assert (one.line, one.status, json.loads(one.body)) == ("a", 200, {"x": 1})
    assert (two.line, two.status) == ("b", 500)
    assert "no luck" in two.body.decode()
    assert ships.page(shipment(vendor_id="v"), b'{"results":[]}') == ([], None)
    for bad_page in (b"{", b'{"results":' + b"[" * 9999):
        with pytest.raises(ValueError):
            ships.page(shipment(vendor_id="v"), bad_page)
    with pytest.raises(ValueError):
        ships.result(b'{"batch_request_id":"a","batch_result":{"response":{"x":' + b"[" * 9999)


# ---------------------------------------------------------------- through a gateway


@pytest.fixture
async def vendor() -> AsyncIterator[MistralVendor]:
    async with MistralVendor() as vendor:
        yield vendor


@pytest.fixture
async def gateway(vendor: MistralVendor, tmp_path: Path) -> AsyncIterator[Shipped]:
    mistral = account("openai_compatible", f"{vendor.url}/v1", batches="mistral")
    async with shipped({"mistral": mistral}, tmp_path) as gateway:
        yield gateway


async def test_lines_over_mistral(gateway: Shipped) -> None:
    id_ = await gateway.create({"one": chat("hello"), "bad": chat("fail")})
    await gateway.ended(id_)
    results = await gateway.results(id_)
    assert results["one"]["response"]["choices"][0]["message"]["content"] == "echo hello"
    assert results["bad"]["status_code"] == 400


async def test_an_answer_that_is_lost_submits_nothing_twice(
    gateway: Shipped, vendor: MistralVendor
) -> None:
    vendor.drop = 1
    id_ = await gateway.create({"one": chat("hello")})
    assert (await gateway.ended(id_))["request_counts"]["completed"] == 1
    assert len(vendor.batches) == 1
