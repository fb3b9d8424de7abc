"""Whole replies in OpenAI's dialects: is it one, who served it, what did it use."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Raw

from gomodel_proxy.api import UpstreamError

from . import json
from .openai_failure import read_failure
from .openai_usage import read_usage

if TYPE_CHECKING:
    from gomodel_proxy.api import Usage

__all__ = [
    "ERROR",
    "created_response",
    "find_usage",
    "holds",
    "name_provider",
    "read_reply",
    "rejection",
]

_STATUS: Final = re.compile("[45][0-9]{2}")

_ARRAY: Final = ord("[")

ERROR: Final = Raw(b'"error"')
"""The ``object`` of servers that send an error as the whole object."""


class _Choice(msgspec.Struct):
    usage: Raw = json.NULL


_choices: Final = msgspec.json.Decoder(list[_Choice]).decode


def read_reply(body: bytes) -> dict[str, Raw]:
    """Return a reply's members; raises `UpstreamError` if it is no JSON object."""
    try:
        return json.members(body)
    except ValueError:
        pass
    if not body.strip():
        raise UpstreamError("The provider answered with an empty body.", code="empty_reply")
    raise UpstreamError(
        f"The provider's answer is not a JSON object: {json.excerpt(body)}", code="invalid_reply"
    )


def holds(reply: dict[str, Raw], name: str) -> bool:
    """Return whether a member is an array that is not empty."""
    if name not in reply:
        return False
    raw = reply[name]
    return memoryview(raw)[0] == _ARRAY and not json.is_empty(raw)


def rejection(body: bytes, reply: dict[str, Raw], wanted: str) -> UpstreamError:
    """Return what is wrong with a reply that lacks ``wanted``: its own error, if it tells one."""
    told = json.kind(reply.get("error", json.NULL)) in ("object", "string")
    if told or reply.get("object") == ERROR:
        return _told(body)
    return UpstreamError(
        f"The provider's answer has no {wanted}: {json.excerpt(body)}", code="invalid_reply"
    )


def _told(body: bytes) -> UpstreamError:
    """Return an error that came as a reply; its code may be the status that it should have had."""
    error = read_failure(UpstreamError.status, (), body)
    if error.code is not None and _STATUS.fullmatch(error.code):
        return read_failure(int(error.code), (), body)
    return error


def name_provider(body: bytes, reply: dict[str, Raw], provider: str) -> bytes:
    """Return the reply with a ``provider`` member, all else as it came; a vendor's own stays."""
    if "provider" in reply:
        return body
    return json.insert_member(body, "provider", json.encode(provider))


def find_usage(reply: dict[str, Raw]) -> Usage | None:
    """Return the usage of a reply or chunk: its own, the one in ``x_groq``, or a choice's."""
    usage = reply["usage"] if "usage" in reply else json.NULL  # noqa: SIM401 - no call
    if usage == json.NULL:
        extension = reply.get("x_groq", json.NULL)
        if json.kind(extension) == "object":
            usage = json.members(bytes(extension)).get("usage", json.NULL)
    if usage == json.NULL:
        usage = _usage_of_a_choice(reply.get("choices", json.NULL))
    return read_usage(usage)


def _usage_of_a_choice(choices: Raw) -> Raw:
    try:
        found = [choice.usage for choice in _choices(choices) if choice.usage != json.NULL]
    except msgspec.DecodeError:
        return json.NULL
    return found[-1] if found else json.NULL


def created_response(reply: dict[str, Raw]) -> tuple[str, ...]:
    """Return ``response:<id>`` if the vendor keeps the response: always, unless told not to.

    One that runs in the background can be fetched for a while even then.
    """
    raw = reply.get("id", json.NULL)
    kept = reply.get("store") != json.FALSE or reply.get("background") == json.TRUE
    if not kept or json.kind(raw) != "string":
        return ()
    return (f"response:{json.loads(bytes(raw))}",)
