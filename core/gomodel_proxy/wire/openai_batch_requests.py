"""Requests for a batch, in OpenAI's shape and with lines written into them.

https://platform.openai.com/docs/api-reference/batch/create (22 November 2026)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Raw

from gomodel_proxy.api import BatchAsk, InvalidRequest, LineAsk

from . import json
from .openai_metadata import read_metadata
from .openai_request import missing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["check_lifetime", "read_batch", "read_lines", "read_text"]

_KNOWN: Final = frozenset(
    {
        "completion_window",
        "endpoint",
        "input_file_id",
        "metadata",
        "output_expires_after",
        "requests",
    }
)
_SHORTEST: Final = 3_600  # seconds that a file of results may be kept
_LONGEST: Final = 2_592_000

_array = msgspec.json.Decoder(list[Raw]).decode
_seconds = msgspec.json.Decoder(int).decode


def read_batch(body: bytes) -> BatchAsk:
    """Return what a caller asks for; raises `InvalidRequest` naming the member."""
    members = json.fields(body)
    file = read_text(members, "input_file_id")
    lines = None
    if members.get("requests", json.NULL) != json.NULL:
        lines = read_lines(members["requests"], _line)
    if file is None and lines is None:
        raise missing("input_file_id")
    if file is not None and lines is not None:
        raise InvalidRequest(
            "Give either 'input_file_id' or 'requests', not both.",
            code="invalid_value",
            param="requests",
        )
    return BatchAsk(
        endpoint=read_text(members, "endpoint") or "",
        window=read_text(members, "completion_window") or "24h",
        input_file=file,
        lines=lines,
        metadata=read_metadata(members.get("metadata", json.NULL)),
        output_lifetime=_lifetime(members.get("output_expires_after", json.NULL)),
        ignored=tuple(name for name in members if name not in _KNOWN),
    )


def read_text(members: dict[str, Raw], name: str) -> str | None:
    """Return a string member, None for null or none; raises `InvalidRequest` for another type."""
    raw = members.get(name, json.NULL)
    return None if raw == json.NULL else json.string(raw, name)


def read_lines(raw: Raw, read: Callable[[dict[str, Raw]], LineAsk]) -> Sequence[LineAsk]:
    """Return the lines of ``requests``; raises `InvalidRequest` naming the index at fault."""
    if json.kind(raw) != "array":
        raise json.wrong_type("requests", "an array", raw)
    found = _array(raw)
    if not found:
        raise InvalidRequest("'requests' is empty.", code="empty_array", param="requests")
    lines = []
    for index, one in enumerate(found):
        if json.kind(one) != "object":
            raise json.wrong_type(f"requests[{index}]", "an object", one)
        try:
            lines.append(read(json.fields(bytes(one))))
        except InvalidRequest as error:
            error.message = f"requests[{index}]: {error.message}"
            error.param = f"requests[{index}]" + (f".{error.param}" if error.param else "")
            raise
    return lines


def _line(members: dict[str, Raw]) -> LineAsk:
    return LineAsk(
        custom_id=read_text(members, "custom_id"),
        method=read_text(members, "method"),
        url=read_text(members, "url"),
        body=members.get("body"),
    )


def _lifetime(raw: Raw) -> int | None:
    if raw == json.NULL:
        return None
    if json.kind(raw) != "object":
        raise json.wrong_type("output_expires_after", "an object", raw)
    members = json.fields(bytes(raw))
    if read_text(members, "anchor") != "created_at":
        raise InvalidRequest(
            "'output_expires_after.anchor' takes 'created_at'.",
            code="invalid_value",
            param="output_expires_after.anchor",
        )
    try:
        seconds = _seconds(members.get("seconds", json.NULL))
    except msgspec.ValidationError:
        seconds = 0
    return check_lifetime(seconds, "output_expires_after.seconds")


def check_lifetime(seconds: int, param: str) -> int:
    """Return how long a file may be kept; raises `InvalidRequest` for less or more than OpenAI."""
    if not _SHORTEST <= seconds <= _LONGEST:
        raise InvalidRequest(
            f"'{param}' takes a whole number from {_SHORTEST} to {_LONGEST}.",
            code="invalid_value",
            param=param,
        )
    return seconds
