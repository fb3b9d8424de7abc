"""What is sent and answered: the same bytes for everything that is measured."""

from __future__ import annotations

import json
from typing import Any

KEY = "sk-bench-0f8fad5bd9cb469fa16570867728950e"
JSON_MODEL = "bench-model"
RATES = (40, 4)

TEXT = (
    "The quick summary of a long meeting, with the open questions first, then who "
    "takes care of what until when, and at the end what was decided, why, and by whom. "
)


def stream_model(rate: int) -> str:
    """Return the model whose streams carry ``rate`` events per second."""
    return f"events-{rate}"


def request(model: str, *, stream: bool) -> str:
    """Return a chat request of about 900 bytes."""
    body: dict[str, Any] = {
        "model": model,
        "messages": [
            {"role": "system", "content": "You are a helpful assistant. " + TEXT},
            {"role": "user", "content": TEXT * 3},
        ],
        "temperature": 0.7,
        "max_tokens": 256,
        "metadata": {"team": "reports", "ticket": "4711", "trace": "c2a1b3e5f0b5d6a3"},
        "user": "user-1234",
    }
    if stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return json.dumps(body)


def completion() -> str:
    """Return a chat completion of about 940 bytes."""
    body = {
        "id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT",
        "object": "chat.completion",
        "created": 1795000000,
        "model": JSON_MODEL,
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": TEXT * 2,
                    "refusal": None,
                    "annotations": [],
                },
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 119,
            "completion_tokens": 64,
            "total_tokens": 183,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
        },
        "service_tier": "default",
        "system_fingerprint": "fp_44709d6fcb",
    }
    return json.dumps(body)


def event() -> bytes:
    """Return one event of a stream, in HTTP's chunk framing."""
    body = {
        "id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT",
        "object": "chat.completion.chunk",
        "created": 1795000000,
        "model": "events",
        "service_tier": "default",
        "system_fingerprint": "fp_44709d6fcb",
        "choices": [
            {"index": 0, "delta": {"content": " word"}, "logprobs": None, "finish_reason": None}
        ],
        "usage": None,
    }
    line = b"data: " + json.dumps(body).encode() + b"\n\n"
    return b"%x\r\n%b\r\n" % (len(line), line)
