"""What providers need who hand over batches, whatever their vendor's API looks like."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar
from urllib.parse import quote, urlsplit

import msgspec

from gomodel_proxy.api import Steps, UpstreamError

if TYPE_CHECKING:
    from collections.abc import Callable

    from gomodel_proxy.api import Shipment, UpstreamRequest, VendorReply

__all__ = [
    "Files",
    "Ships",
    "created",
    "one_line",
    "path_id",
    "read_object",
    "reader",
    "remembered",
    "ships",
    "since",
    "stopped",
    "timestamp",
]

T = TypeVar("T")

_SLACK: Final = 600.0  # seconds by which a vendor's clock may be behind ours


class Files(msgspec.Struct):
    """What is remembered, in `Shipment.vendor`, of a batch at a vendor: its files there."""

    input: str | None = None
    output: str | None = None
    errors: str | None = None


_object = msgspec.json.Decoder(dict[str, Any]).decode
_files = msgspec.json.Decoder(Files).decode


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


def reader(type_: type[T]) -> Callable[[bytes], T]:
    """Return what reads a result as such a struct; it raises ValueError on one without sense."""
    decode = msgspec.json.Decoder(type_).decode

    def read(data: bytes) -> T:
        try:
            return decode(data)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error

    return read


def created(create: UpstreamRequest, delete: UpstreamRequest) -> Steps[VendorReply]:
    """Have a batch made of an upload, and the upload deleted if that is refused."""
    try:
        return (yield create)
    except UpstreamError as error:
        if error.status < 500:  # after others it may be made yet, and needs its upload
            with suppress(UpstreamError):
                yield delete
        raise


def stopped(cancel: UpstreamRequest) -> Steps[None]:
    """Have a batch stopped; a vendor refuses if it has ended, which is no error."""
    try:
        yield cancel
    except UpstreamError as error:
        if error.status not in (400, 409):
            raise


def remembered(shipment: Shipment) -> Files:
    """Return the files of a batch, none before it was asked about."""
    return _files(shipment.vendor) if shipment.vendor else Files()


def path_id(shipment: Shipment) -> str:
    """Return the vendor's id of a batch, as it stands in a path."""
    return quote(shipment.vendor_id or "", safe="")


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
