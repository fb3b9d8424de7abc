"""Batches as OpenAI's callers see them, held to the types of OpenAI's own SDK."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace
from openai.types import Batch as SdkBatch

from gomodel_proxy.api import Batch, BatchError, LineResult, Shipment, Spent, Webhook
from gomodel_proxy.wire.openai_batch_results import write_error, write_reply
from gomodel_proxy.wire.openai_batches import OpenAIBatches

VIEW = OpenAIBatches()
BATCH = Batch(
    id="batch_1",
    owner="ann",
    user_path="/",
    created=1_000_000,
    expires=86_401_999_999,
    input_file="file-1",
    endpoint="/v1/chat/completions",
)
ENDED = replace(
    BATCH,
    status="completed",
    in_progress_at=2_000_000,
    finalizing_at=3_000_000,
    completed_at=4_900_000,
    total=3,
    completed=2,
    failed=1,
    resent=1,
    metadata=b'{"team": "a"}',
    models=("m",),
    providers=("up",),
    spent=Spent(
        input_tokens=10,
        cached_tokens=4,
        output_tokens=5,
        reasoning_tokens=2,
        input_cost=2_500_000,
        output_cost=1_000_000_000_000,
        total_cost=1_000_002_500_000,
    ),
    output_file="file-1-output",
    error_file="file-1-errors",
)
NEW = {
    "id": "batch_1",
    "object": "batch",
    "endpoint": "/v1/chat/completions",
    "model": None,
    "provider": None,
    "provider_batch_id": None,
    "errors": None,
    "input_file_id": "file-1",
    "completion_window": "24h",
    "status": "validating",
    "output_file_id": None,
    "error_file_id": None,
    "created_at": 1,
    "in_progress_at": None,
    "expires_at": 86401,
    "finalizing_at": None,
    "completed_at": None,
    "failed_at": None,
    "expired_at": None,
    "cancelling_at": None,
    "cancelled_at": None,
    "request_counts": {"total": 0, "completed": 0, "failed": 0, "resent": 0},
    "usage": {
        "input_tokens": 0,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": 0,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 0,
        "input_cost": 0.0,
        "output_cost": 0.0,
        "total_cost": 0.0,
    },
    "metadata": {},
}


def written(batch: Batch, results: list[LineResult] | None = None) -> dict[str, Any]:
    value = json.loads(VIEW.write(batch, results, "http://here"))
    SdkBatch.model_validate(value)
    assert {name for name in SdkBatch.model_fields if name not in value} == set()
    return value


def line(index: int, result: bytes | None, *, failed: bool = False) -> LineResult:
    return LineResult(
        index=index,
        custom_id=f"c{index}",
        url="/v1/chat/completions",
        model="m",
        provider="up",
        failed=failed,
        result=result,
    )


def test_a_new_batch_has_every_member() -> None:
    assert written(BATCH) == NEW


def test_an_ended_batch() -> None:
    value = written(ENDED)
    assert value["status"] == "completed"
    times = ("in_progress_at", "finalizing_at", "completed_at", "cancelled_at")
    assert [value[name] for name in times] == [2, 3, 4, None]
    assert value["request_counts"] == {"total": 3, "completed": 2, "failed": 1, "resent": 1}
    assert (value["model"], value["provider"]) == ("m", "up")
    assert (value["output_file_id"], value["error_file_id"]) == ("file-1-output", "file-1-errors")
    assert value["metadata"] == {"team": "a"}
    assert value["usage"] == {
        "input_tokens": 10,
        "input_tokens_details": {"cached_tokens": 4},
        "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 2},
        "total_tokens": 15,
        "input_cost": 0.0000025,
        "output_cost": 1.0,
        "total_cost": 1.0000025,
    }
    assert "results" not in value


def test_a_price_that_is_not_known_is_null() -> None:
    batch = replace(BATCH, spent=Spent(input_tokens=1, input_cost=None, total_cost=None))
    usage = written(batch)["usage"]
    assert (usage["input_cost"], usage["output_cost"], usage["total_cost"]) == (None, 0.0, None)


@pytest.mark.parametrize("names", [(), ("a", "b")])
def test_none_or_several_are_no_single_one(names: tuple[str, ...]) -> None:
    value = written(replace(BATCH, models=names, providers=names))
    assert (value["model"], value["provider"]) == (None, None)


def test_what_vendors_have_of_it() -> None:
    one = Shipment(
        number=0,
        provider="up",
        model="m",
        dialect="openai.chat",
        mark="batch_1-0",
        state="sent",
        lines=5,
        settled=2,
        vendor_id="batch_v",
    )
    value = written(replace(BATCH, shipments=(one,)))
    assert value["provider_batch_id"] == "batch_v"
    assert value["provider_batches"] == [
        {
            "id": "batch_v",
            "provider": "up",
            "model": "m",
            "status": "sent",
            "request_counts": {"total": 5, "settled": 2},
            "error": None,
        }
    ]
    two = replace(one, number=1, vendor_id="batch_w")
    assert written(replace(BATCH, shipments=(one, two)))["provider_batch_id"] is None


def test_errors_and_the_webhook() -> None:
    errors = (
        BatchError(code="invalid_json_line", message="No.", line=3, param="body"),
        BatchError(code="uncertain", message="Who knows."),
    )
    webhook = Webhook(url="https://user:secret@host/", tries=2, delivered=5_000_000)
    value = written(replace(BATCH, status="failed", errors=errors, webhook=webhook))
    assert value["errors"] == {
        "object": "list",
        "data": [
            {"code": "invalid_json_line", "message": "No.", "line": 3, "param": "body"},
            {"code": "uncertain", "message": "Who knows.", "line": None, "param": None},
        ],
    }
    assert value["webhook"] == {"tries": 2, "delivered_at": 5, "error": None}


def test_results_as_they_stand_in_the_object() -> None:
    refusal = b'{"error":{"message":"Too long.","type":"invalid_request_error","code":"long"}}'
    results = [
        line(0, write_reply("r0", "c0", 200, "req_1", b'{"object": "chat.completion"}')),
        line(1, write_reply("r1", "c1", 400, "req_2", refusal), failed=True),
        line(2, write_error("r2", "c2", "batch_expired", "Not executed."), failed=True),
    ]
    head = {"url": "/v1/chat/completions", "model": "m", "provider": "up"}
    assert written(ENDED, results)["results"] == [
        {
            "index": 0,
            "custom_id": "c0",
            **head,
            "status_code": 200,
            "response": {"object": "chat.completion"},
            "error": None,
        },
        {
            "index": 1,
            "custom_id": "c1",
            **head,
            "status_code": 400,
            "response": json.loads(refusal),
            "error": {"type": "invalid_request_error", "message": "Too long."},
        },
        {
            "index": 2,
            "custom_id": "c2",
            **head,
            "status_code": 0,
            "response": None,
            "error": {"type": "batch_expired", "message": "Not executed."},
        },
    ]


def test_an_error_in_another_dialect_is_read_too() -> None:
    body = b'{"type":"error","error":{"type":"overloaded_error","message":"Busy."}}'
    one = line(0, write_reply("r0", "c0", 529, "", body), failed=True)
    told = json.loads(VIEW.result(ENDED, one))
    assert told["error"] == {"type": "overloaded_error", "message": "Busy."}


def test_a_page() -> None:
    page = json.loads(VIEW.page([VIEW.write(BATCH, None, "")], ["batch_1"], True))
    assert page == {
        "object": "list",
        "data": [NEW],
        "first_id": "batch_1",
        "last_id": "batch_1",
        "has_more": True,
    }
    empty = json.loads(VIEW.page([], [], False))
    assert (empty["first_id"], empty["last_id"], empty["data"]) == (None, None, [])
