"""OpenAI's batches, said and read without a socket."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gomodel_proxy.api import Secret, Shipping, UpstreamError
from gomodel_proxy.testing.dialogue import shipment, talk
from gomodel_proxy.wire.openai_account import OpenAIAccount
from gomodel_proxy.wire.openai_shipping import OpenAIShipping, read_result

BASE = "https://api.acme.example/v1"


def shipping() -> Shipping:
    account = OpenAIAccount(base_url=BASE, api_key=Secret("sk-canary"), shipping=OpenAIShipping)
    assert account.shipping is not None
    return account.shipping


def batch(status: str = "validating", **more: Any) -> dict[str, Any]:
    return {"id": "batch_v", "status": status, "input_file_id": "file-in", **more}


def test_no_account_ships_by_itself() -> None:
    assert OpenAIAccount(base_url=BASE).shipping is None


def test_terms() -> None:
    terms = shipping().terms("openai.chat", "m")
    assert terms is not None
    assert (terms.lines, terms.size, terms.by_model) == (50_000, 200_000_000, True)
    assert shipping().terms("openai.compact", "m") is None


def test_a_line_is_one_line() -> None:
    line = shipping().line("ab-1", "openai.embeddings", "m", b'{"model":\n"m","input":"a\\nb"}')
    assert b"\n" not in line
    assert json.loads(line) == {
        "custom_id": "ab-1",
        "method": "POST",
        "url": "/v1/embeddings",
        "body": {"model": "m", "input": "a\nb"},
    }


def test_submitting_uploads_and_creates() -> None:
    headers = (("openai-organization", "org-1"),)
    steps = shipping().submit(shipment(headers=headers), [b'{"a":1}', b'{"b":2}'])
    taken, (upload, create) = talk(steps, {"id": "file-in"}, batch())
    assert (taken.id, taken.state) == ("batch_v", "running")
    assert (upload.method, upload.url) == ("POST", f"{BASE}/files")
    kind = dict(upload.extra)["content-type"]
    assert "content-type" not in dict(upload.headers)
    assert kind.startswith("multipart/form-data; boundary=")
    boundary = kind.partition("=")[2].encode()
    purpose, file, end = upload.body.split(b"--" + boundary)[1:]
    assert purpose.endswith(b'name="purpose"\r\n\r\nbatch\r\n')
    assert b'filename="batch_1-0.jsonl"' in file
    assert file.endswith(b'\r\n\r\n{"a":1}\n{"b":2}\n\r\n')
    assert end == b"--\r\n"
    assert json.loads(create.body) == {
        "input_file_id": "file-in",
        "endpoint": "/v1/chat/completions",
        "completion_window": "24h",
        "metadata": {"gomodel_shipment": "batch_1-0"},
    }
    assert dict(create.extra) == dict(headers)
    assert dict(create.headers)["authorization"] == "Bearer sk-canary"


def test_a_refused_batch_leaves_no_file() -> None:
    steps = shipping().submit(shipment(), [b"{}"])
    refusal = UpstreamError("no", status=400)
    with pytest.raises(UpstreamError, match="no"):
        talk(steps, {"id": "file-in"}, refusal, {"deleted": True})


def test_a_batch_that_may_have_been_taken_keeps_its_file() -> None:
    steps = shipping().submit(shipment(), [b"{}"])
    with pytest.raises(UpstreamError, match="broke"):
        talk(steps, {"id": "file-in"}, UpstreamError("broke"))


def test_it_is_found_by_its_mark_on_a_later_page() -> None:
    first = batch(id="batch_2", created_at=1_790_000_100, metadata=None)
    mine = batch("completed", created_at=1_790_000_001, metadata={"gomodel_shipment": "batch_1-0"})
    found, (one, two) = talk(
        shipping().find(shipment(), []),
        {"data": [first], "has_more": True},
        {"data": [mine], "has_more": False},
    )
    assert found is not None
    assert (found.id, found.state) == ("batch_v", "ended")
    assert one.url.endswith("/batches?limit=100")
    assert two.url.endswith("/batches?limit=100&after=batch_2")


def test_the_search_ends_where_batches_are_older() -> None:
    old = batch(id="batch_0", created_at=1_789_000_000, metadata={})
    found, _ = talk(shipping().find(shipment(), []), {"data": [old], "has_more": True})
    assert found is None


def test_a_vendor_that_repeats_its_page_ends_the_search() -> None:
    page = {"data": [batch(created_at=1_790_000_001, metadata={})], "has_more": True}
    found, _ = talk(shipping().find(shipment(), []), page, page)
    assert found is None


def test_one_that_failed_for_lack_of_room_gives_way_to_its_next_try() -> None:
    mark = {"gomodel_shipment": "batch_1-0"}
    failed = batch("failed", id="batch_a", created_at=1_790_000_009, metadata=mark)
    taken = batch("in_progress", id="batch_b", created_at=1_790_000_001, metadata=mark)
    found, _ = talk(shipping().find(shipment(), []), {"data": [failed, taken]})
    assert found is not None
    assert found.id == "batch_b"


@pytest.mark.parametrize(
    ("status", "state", "rest"),
    [
        ("validating", "running", "missing"),
        ("in_progress", "running", "missing"),
        ("finalizing", "running", "missing"),
        ("cancelling", "cancelling", "missing"),
        ("completed", "ended", "missing"),
        ("expired", "ended", "expired"),
        ("Cancelled", "ended", "cancelled"),
    ],
)
def test_states(status: str, state: str, rest: str) -> None:
    read, (asked,) = talk(shipping().poll(shipment(vendor_id="batch/v")), batch(status))
    assert (read.state, read.rest) == (state, rest)
    assert asked.url == f"{BASE}/batches/batch%2Fv"


def test_why_one_failed() -> None:
    errors = {"data": [{"code": "invalid", "message": "line 3"}]}
    read, _ = talk(shipping().poll(shipment(vendor_id="v")), batch("failed", errors=errors))
    assert (read.state, read.error, read.again) == ("failed", "line 3", False)
    errors = {"data": [{"code": "token_limit_exceeded", "message": "too much"}]}
    read, _ = talk(shipping().poll(shipment(vendor_id="v")), batch("failed", errors=errors))
    assert read.again


def test_an_unknown_status_makes_no_sense() -> None:
    with pytest.raises(UpstreamError):
        talk(shipping().poll(shipment(vendor_id="v")), batch("dreaming"))


def test_cancelling_one_that_has_ended_is_no_error() -> None:
    steps = shipping().cancel(shipment(vendor_id="v"))
    _, (asked,) = talk(steps, UpstreamError("ended", status=409))
    assert (asked.method, asked.url) == ("POST", f"{BASE}/batches/v/cancel")
    with pytest.raises(UpstreamError):
        talk(shipping().cancel(shipment(vendor_id="v")), UpstreamError("away"))


def test_both_files_hold_results_and_the_input_is_cleared_away() -> None:
    ended = batch("completed", output_file_id="file-out", error_file_id="file-err")
    read, _ = talk(shipping().poll(shipment(vendor_id="v")), ended)
    sent = shipment(vendor_id="v", vendor=read.data)
    urls = [request.url for request in shipping().results(sent)]
    assert urls == [f"{BASE}/files/file-out/content", f"{BASE}/files/file-err/content"]
    (delete,) = shipping().leftovers(sent)
    assert (delete.method, delete.url) == ("DELETE", f"{BASE}/files/file-in")


def test_results() -> None:
    done = read_result(
        b'{"custom_id":"a","response":{"status_code":200,"body":{"x":1}},"error":null}'
    )
    assert (done.line, done.kind, done.status, done.body) == ("a", "done", 200, b'{"x":1}')
    expired = read_result(b'{"custom_id":"a","response":null,"error":{"code":"batch_expired"}}')
    assert expired.kind == "expired"
    failed = read_result(b'{"custom_id":"a","error":{"code":"boom","message":"no luck"}}')
    assert (failed.kind, failed.status) == ("done", 500)
    assert json.loads(failed.body)["error"]["message"] == "no luck"


@pytest.mark.parametrize(
    "line", [b"{", b"[]", b'{"custom_id":1}', b'{"custom_id":"a"}', b"[" * 9999]
)
def test_results_without_sense(line: bytes) -> None:
    with pytest.raises(ValueError):
        read_result(line)
