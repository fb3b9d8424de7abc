"""Message Batches: how the gateway's batches look to Anthropic's callers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from anthropic.types.messages import MessageBatch, MessageBatchIndividualResponse
from msgspec.structs import replace

from gomodel_proxy.api import Batch, InvalidRequest, LineResult
from gomodel_proxy.wire.openai_batch_results import write_error, write_reply
from gomodel_proxy_anthropic.batches import MessageBatches

VIEW = MessageBatches()
BATCH = Batch(
    id="batch_0123",
    owner="ann",
    user_path="/",
    created=1_000_000,
    expires=86_401_000_000,
    input_file="file-1",
    endpoint="/v1/messages",
)
PARAMS = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [{"type": "text", "text": "Hello"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 1, "output_tokens": 2},
}


def written(batch: Batch) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(VIEW.write(batch, None, "http://here/llm"))
    MessageBatch.model_validate(value)
    assert set(value) == set(MessageBatch.model_fields)
    return value


def counts(**more: int) -> dict[str, int]:
    none = dict.fromkeys(("processing", "succeeded", "errored", "canceled", "expired"), 0)
    return {**none, **more}


def outcome(result: bytes, *, failed: bool = True, url: str = "/v1/messages") -> dict[str, Any]:
    line = LineResult(
        index=3, custom_id="c", url=url, model="m", provider="up", failed=failed, result=result
    )
    value = json.loads(VIEW.result(BATCH, line))
    MessageBatchIndividualResponse.model_validate(value)
    assert value["custom_id"] == "c"
    told: dict[str, Any] = value["result"]
    return told


def test_ids_share_their_hex() -> None:
    assert VIEW.name("batch_0123") == "msgbatch_0123"
    assert VIEW.id("msgbatch_0123") == "batch_0123"
    assert VIEW.id("batch_0123") == "", "an id of another view is none of this one"


def test_a_request() -> None:
    ask = VIEW.read(json.dumps({"requests": [{"custom_id": "a", "params": PARAMS}]}).encode())
    assert (ask.endpoint, ask.window, ask.input_file, ask.metadata) == (
        "/v1/messages",
        "24h",
        None,
        {},
    )
    assert ask.lines is not None
    (line,) = ask.lines
    assert (line.custom_id, line.method, line.url) == ("a", "POST", "/v1/messages")
    assert json.loads(bytes(line.body or b"")) == PARAMS
    more = VIEW.read(json.dumps({"requests": [{"params": {}}], "metadata": {}}).encode())
    assert more.ignored == ("metadata",)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "requests"),
        ({"requests": []}, "requests"),
        ({"requests": "x"}, "requests"),
        ({"requests": [{"custom_id": "a"}]}, "requests[0].params"),
        ({"requests": [{"custom_id": "a", "params": PARAMS}, {"params": 1}]}, "requests[1].params"),
        ({"requests": [{"custom_id": 1, "params": PARAMS}]}, "requests[0].custom_id"),
    ],
)
def test_what_is_wrong_is_named(body: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        VIEW.read(json.dumps(body).encode())
    assert refused.value.param == param


def test_a_new_batch() -> None:
    assert written(BATCH) == {
        "id": "msgbatch_0123",
        "type": "message_batch",
        "processing_status": "in_progress",
        "request_counts": counts(),
        "created_at": "1970-01-01T00:00:01Z",
        "expires_at": "1970-01-02T00:00:01Z",
        "ended_at": None,
        "cancel_initiated_at": None,
        "archived_at": None,
        "results_url": None,
    }


@pytest.mark.parametrize(
    ("change", "status", "told"),
    [
        ({"status": "in_progress"}, "in_progress", counts(processing=7, succeeded=2, errored=1)),
        ({"status": "finalizing"}, "in_progress", counts(processing=7, succeeded=2, errored=1)),
        (
            {"status": "cancelling", "cancelling_at": 2_500_000},
            "canceling",
            counts(processing=7, succeeded=2, errored=1),
        ),
        (
            {"status": "cancelled", "cancelling_at": 2_500_000, "cancelled_at": 3_000_000},
            "ended",
            counts(canceled=7, succeeded=2, errored=1),
        ),
        (
            {"status": "expired", "expired_at": 3_000_000},
            "ended",
            counts(expired=7, succeeded=2, errored=1),
        ),
        (
            {"status": "completed", "completed_at": 3_000_000, "completed": 9},
            "ended",
            counts(succeeded=9, errored=1),
        ),
    ],
)
def test_a_batch_on_its_way(change: dict[str, Any], status: str, told: dict[str, int]) -> None:
    value = written(replace(BATCH, **{"total": 10, "completed": 2, "failed": 1, **change}))
    assert (value["processing_status"], value["request_counts"]) == (status, told)
    ended = status == "ended"
    assert value["ended_at"] == ("1970-01-01T00:00:03Z" if ended else None)
    url = "http://here/llm/v1/messages/batches/msgbatch_0123/results"
    assert value["results_url"] == (url if ended else None)
    cancelled = "cancelling_at" in change
    assert value["cancel_initiated_at"] == ("1970-01-01T00:00:02.500000Z" if cancelled else None)


def test_a_page() -> None:
    page = json.loads(VIEW.page([VIEW.write(BATCH, None, "")], ["msgbatch_0123"], True))
    assert page["data"][0]["id"] == "msgbatch_0123"
    assert (page["has_more"], page["first_id"], page["last_id"]) == (
        True,
        "msgbatch_0123",
        "msgbatch_0123",
    )
    assert json.loads(VIEW.deleted("msgbatch_0123")) == {
        "id": "msgbatch_0123",
        "type": "message_batch_deleted",
    }


def test_a_message_succeeded() -> None:
    result = write_reply("r", "c", 200, "req_1", json.dumps(MESSAGE).encode())
    assert outcome(result, failed=False) == {"type": "succeeded", "message": MESSAGE}


def test_a_refusal_in_anthropics_shape_stays_as_it_is() -> None:
    body = {"type": "error", "error": {"type": "overloaded_error", "message": "Busy."}, "x": 1}
    result = write_reply("r", "c", 529, "", json.dumps(body).encode())
    assert outcome(result) == {"type": "errored", "error": body}


@pytest.mark.parametrize("body", [b'{"error":{"message":"Busy.","type":"x"}}', b'"Busy."'])
def test_a_refusal_in_another_shape_is_read(body: bytes) -> None:
    told = outcome(write_reply("r", "c", 429, "", body))
    assert told["type"] == "errored"
    assert told["error"]["error"]["type"] == "rate_limit_error"


@pytest.mark.parametrize(
    ("code", "type_"), [("batch_cancelled", "canceled"), ("batch_expired", "expired")]
)
def test_what_was_never_executed(code: str, type_: str) -> None:
    assert outcome(write_error("r", "c", code, "Not executed.")) == {"type": type_}
    elsewhere = "/v1/chat/completions"
    assert outcome(write_error("r", "c", code, "No."), url=elsewhere) == {"type": type_}


def test_a_line_that_got_no_reply() -> None:
    told = outcome(write_error("r", "c", "result_missing", "The vendor does not say."))
    assert told["error"]["error"] == {"type": "api_error", "message": "The vendor does not say."}


@pytest.mark.parametrize("failed", [True, False])
def test_a_reply_of_another_dialect_is_told_of(failed: bool) -> None:
    result = write_reply("r", "c", 200, "req_1", b'{"object": "chat.completion"}')
    told = outcome(result, failed=failed, url="/v1/chat/completions")
    assert told["type"] == "errored"
    assert "/v1/batches/batch_0123/results, line 3" in told["error"]["error"]["message"]
