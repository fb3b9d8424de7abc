from __future__ import annotations

import json

import pytest

from gomodel_proxy.api import Losses
from gomodel_proxy.wire.hub import Hub
from gomodel_proxy.wire.openai_chat_codec import ChatCodec
from gomodel_proxy.wire.openai_responses_codec import ResponsesCodec

REQUEST = json.dumps({"model": "m", "input": "Hi", "stream": True}).encode()


@pytest.mark.parametrize("end", ["\n\n", "\r\n\r\n", "\r\r", "\r\n\r"])
def test_an_event_is_written_at_once_whatever_its_line_ends(end: str) -> None:
    def chunk(text: str, finish: str | None) -> bytes:
        choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
        return f"data: {json.dumps({'id': 'c', 'model': 'm', 'choices': [choice]})}{end}".encode()

    stage = Hub(ResponsesCodec(), ChatCodec()).begin(REQUEST, "m", {}).stream(Losses())
    assert b'"delta":"one "' in stage.feed(chunk("one ", None))
    assert b'"delta":"two"' in stage.feed(chunk("two", "length"))
    *_, last = stage.close().strip().split(b"\n\n")
    response = json.loads(last.partition(b"data: ")[2])["response"]
    assert response["status"] == "incomplete"
    assert response["output"][0]["content"][0]["text"] == "one two"
