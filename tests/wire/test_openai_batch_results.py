"""The lines of output and error files."""

from __future__ import annotations

import msgspec
import pytest

from gomodel_proxy.wire.openai_batch_results import Result, read, write_error, write_reply


def test_a_reply_is_one_line_as_openai_writes_it() -> None:
    line = write_reply("batch_req_1", 'a"b', 200, "req_1", b'{\n "x": 1}')
    assert b"\n" not in line
    assert msgspec.json.decode(line) == {
        "id": "batch_req_1",
        "custom_id": 'a"b',
        "response": {"status_code": 200, "request_id": "req_1", "body": {"x": 1}},
        "error": None,
    }
    found = read(line)
    assert (found.custom_id, found.status, found.request_id) == ('a"b', 200, "req_1")
    assert found.body is not None
    assert msgspec.json.decode(found.body) == {"x": 1}


@pytest.mark.parametrize("body", [b'{"a":"\\ud800"}', b'{"a":"\xff"}', b"no json", b"[" * 9999])
def test_a_reply_that_cannot_be_read_spoils_no_file(body: bytes) -> None:
    line = write_reply("batch_req_1", "a", 200, "req_1", body)
    assert read(line).status == 200
    assert line.decode().count("\n") == 0


def test_an_error_is_one_line_too() -> None:
    line = write_error("batch_req_2", "b", "batch_expired", "Too late.")
    assert read(line) == Result(
        id="batch_req_2", custom_id="b", code="batch_expired", message="Too late."
    )


def test_half_a_surrogate_pair_in_an_id_is_refused_where_it_is_written() -> None:
    with pytest.raises(UnicodeEncodeError):
        write_error("x", "\ud800", "c", "m")
