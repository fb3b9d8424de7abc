"""Messages of AWS's event stream, made for tests: the other way round than botocore reads them."""

from __future__ import annotations

import json
import struct
import zlib
from typing import Any


def frame(payload: Any, name: str = "", **headers: str) -> bytes:
    """Return one message; ``name`` is an event's, other headers are given without their colon."""
    named = {":event-type": name, ":message-type": "event"} if name else {}
    named |= {f":{key.replace('_', '-')}": value for key, value in headers.items()}
    head = b"".join(
        struct.pack("!B", len(key)) + key.encode() + struct.pack("!BH", 7, len(value)) + value
        for key, value in ((key, value.encode()) for key, value in named.items())
    )
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    prelude = struct.pack("!II", 16 + len(head) + len(body), len(head))
    message = prelude + struct.pack("!I", zlib.crc32(prelude)) + head + body
    return message + struct.pack("!I", zlib.crc32(message))


def exception(name: str, message: str) -> bytes:
    """Return the message that an exception inside a stream is."""
    return frame({"message": message}, message_type="exception", exception_type=name)


def said(*texts: str, reason: str = "end_turn", usage: dict[str, int] | None = None) -> list[bytes]:
    """Return a whole stream that says these texts."""
    counts = usage or {"inputTokens": 3, "outputTokens": 2, "totalTokens": 5}
    return [
        frame({"role": "assistant"}, "messageStart"),
        *(
            frame({"contentBlockIndex": 0, "delta": {"text": text}}, "contentBlockDelta")
            for text in texts
        ),
        frame({"contentBlockIndex": 0}, "contentBlockStop"),
        frame({"stopReason": reason}, "messageStop"),
        frame({"usage": counts, "metrics": {"latencyMs": 1}}, "metadata"),
    ]
