"""Streams of chat, read into neutral events: where vendors put their counts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gomodel_proxy.api.chat import UsageReport
from gomodel_proxy.wire.openai_chat_codec import ChatCodec

USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}


def counted(chunk: dict[str, Any]) -> list[int | None]:
    """Return the total of each report that one chunk makes."""
    reader = ChatCodec().reader(traits={})
    events = reader.feed(b"data: " + json.dumps(chunk).encode() + b"\n\n")
    return [event.usage.total for event in events if isinstance(event, UsageReport)]


@pytest.mark.parametrize(
    ("choice", "members", "totals"),
    [
        ({}, {"usage": USAGE}, [10]),
        ({}, {"x_groq": {"id": "r", "usage": USAGE}}, [10]),
        ({}, {"x_groq": {"id": "r"}}, []),
        ({}, {"x_groq": []}, []),
        ({"usage": USAGE}, {}, [10]),
        ({"usage": None}, {"usage": None}, []),
        ({"usage": USAGE | {"completion_tokens": 1}}, {"usage": USAGE}, [10]),
    ],
)
def test_counts_anywhere_are_reported_once(
    choice: dict[str, Any], members: dict[str, Any], totals: list[int]
) -> None:
    chunk = {"id": "x", "choices": [{"index": 0, "delta": {}, **choice}], **members}
    assert counted(chunk) == totals
