"""Which headers cross the gateway, in both directions, and the request id."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from .ids import new

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gomodel_proxy.api import Headers

__all__ = [
    "FORWARDED",
    "caller_headers",
    "request_id",
    "typed",
    "upstream_headers",
    "upstream_id",
]

FORWARDED: Final = frozenset({"traceparent", "tracestate", "baggage", "idempotency-key"})
"""Go on to every vendor; a dialect adds its own. Credentials and cookies never do."""

_WITHHELD: Final = frozenset(
    {
        # hop-by-hop (RFC 9110 §7.6.1), and what our own framing decides
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "content-length",
        "content-encoding",
        # would bind the client to the vendor's host, or to its cookies
        "alt-svc",
        "set-cookie",
        "strict-transport-security",
        # these are ours to say
        "x-request-id",
        "request-id",
        "x-gomodel-provider",
    }
)
_REQUEST_ID: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128}\Z")


def request_id(headers: Mapping[str, str], ours: str = "") -> str:
    """Return the caller's ``X-Request-ID`` if it is a token of ≤ 128 characters, else ours."""
    given = headers.get("x-request-id")
    if given is not None and _REQUEST_ID.match(given):
        return given
    return ours or new("req_")


def upstream_headers(
    headers: Mapping[str, str], allowed: frozenset[str], request_id: str
) -> Headers:
    """Return what goes on to the vendor, with our request id."""
    kept = allowed & headers.keys()
    if not kept:
        return (("x-request-id", request_id),)
    return (("x-request-id", request_id), *((name, headers[name]) for name in sorted(kept)))


def caller_headers(headers: Headers, provider: str, request_id: str) -> list[tuple[str, str]]:
    """Return what the caller gets of the vendor's headers, and ours."""
    kept: list[tuple[str, str]] = []
    withheld: list[tuple[str, str]] = []
    for pair in headers:
        (withheld if pair[0] in _WITHHELD else kept).append(pair)
    ours = (("x-gomodel-provider", provider), ("x-request-id", request_id))
    kept += ours + upstream_id(withheld)  # which is among them
    return kept


def upstream_id(headers: Iterable[tuple[str, str]]) -> Headers:
    """Return the vendor's own request id, if there is one, as the header that tells the caller."""
    named = dict(headers)
    value = named.get("x-request-id") or named.get("request-id")
    return (("x-gomodel-upstream-request-id", value),) if value else ()


def typed(headers: Headers, kind: str) -> Headers:
    """Return headers whose ``Content-Type`` is ``kind``; the vendor's own stays if it is that."""
    for name, value in headers:
        if name == "content-type" and value.lower().startswith(kind):
            return headers
    return (("content-type", kind), *(pair for pair in headers if pair[0] != "content-type"))
