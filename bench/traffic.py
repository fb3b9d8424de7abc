"""What is sent and answered: the same bytes for everything that is measured."""

from __future__ import annotations

import json
from typing import Any

KEY = "sk-bench-0f8fad5bd9cb469fa16570867728950e"
JSON_MODEL = "bench-model"
STREAMS = {"events": (40, 4), "messages": (40,)}

TEXT = (
    "The quick summary of a long meeting, with the open questions first, then who "
    "takes care of what until when, and at the end what was decided, why, and by whom. "
)


def stream_model(rate: int, family: str = "events") -> str:
    """Return the model whose streams carry ``rate`` events per second.

    Streams of the family "events" are OpenAI's, those of "messages" Anthropic's.
    """
    return f"{family}-{rate}"


def stream_models(family: str) -> list[str]:
    """Return all models of a family."""
    return [stream_model(rate, family) for rate in STREAMS[family]]


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
    """Return one event of OpenAI's streams, in HTTP's chunk framing."""
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
    return framed(b"data: " + json.dumps(body).encode() + b"\n\n")


def opening() -> bytes:
    """Return the events that begin a stream of Anthropic's, in HTTP's chunk framing."""
    usage = {
        "input_tokens": 119,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": 1,
    }
    message: dict[str, Any] = {
        "id": "msg_01XFDUDYJgAACzvnptvVoYEL",
        "type": "message",
        "role": "assistant",
        "model": "messages",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }
    text = {"type": "text", "text": ""}
    return framed(
        named({"type": "message_start", "message": message})
        + named({"type": "content_block_start", "index": 0, "content_block": text})
    )


def delta() -> bytes:
    """Return one event of Anthropic's streams, in HTTP's chunk framing."""
    text = {"type": "text_delta", "text": " word"}
    return framed(named({"type": "content_block_delta", "index": 0, "delta": text}))


def named(body: dict[str, Any]) -> bytes:
    """Return an event that has its type for a name."""
    return b"event: %b\ndata: %b\n\n" % (body["type"].encode(), json.dumps(body).encode())


def framed(data: bytes) -> bytes:
    """Return a chunk of HTTP's."""
    return b"%x\r\n%b\r\n" % (len(data), data)
