"""What providers need who hand over batches, whatever their vendor's API looks like."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import urlsplit

import msgspec

from gomodel_proxy.api import Steps, UpstreamError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gomodel_proxy.api import Shipment, UpstreamRequest, VendorReply

__all__ = ["Ships", "cleared", "one_line", "read_object", "ships", "since", "timestamp"]

_SLACK: Final = 600.0  # seconds by which a vendor's clock may be behind ours

_object = msgspec.json.Decoder(dict[str, Any]).decode


Ships = Literal["auto"] | bool
"""A provider's setting ``batches``."""


def ships(setting: Ships, base_url: str, domain: str) -> bool:
    """Return whether an account hands over batches.

    With "auto" it does at its vendor's own hosts: others that speak like it rarely take any.
    """
    if setting != "auto":
        return setting
    host = urlsplit(base_url).hostname or ""
    return host == domain or host.endswith(f".{domain}")


def read_object(reply: VendorReply) -> dict[str, Any]:
    """Return a reply's JSON object; raises `UpstreamError` on anything else."""
    try:
        return _object(reply.body)
    except (ValueError, RecursionError) as error:
        raise UpstreamError(
            "The provider's reply is no JSON object.", code="malformed_reply"
        ) from error


def cleared(requests: Sequence[UpstreamRequest]) -> Steps[None]:
    """Send what may fail."""
    for request in requests:
        try:
            yield request
        except UpstreamError:
            continue


def one_line(body: bytes) -> bytes:
    """Return JSON without newlines: they stand only between its tokens, where a space does too."""
    return body.replace(b"\n", b" ").replace(b"\r", b" ")


def since(shipment: Shipment) -> float:
    """Return the time, by the vendor's clock, before which a shipment cannot have been taken."""
    return (shipment.began or 0) / 1_000_000 - _SLACK


def timestamp(time: object) -> float:
    """Return an RFC 3339 time, or a number, in seconds since the epoch; 0 for anything else."""
    if isinstance(time, int | float):
        return float(time)
    try:
        return datetime.fromisoformat(str(time)).timestamp()
    except ValueError:
        return 0.0
