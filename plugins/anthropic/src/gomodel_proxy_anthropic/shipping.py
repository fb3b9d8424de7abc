"""Message batches, for lines that Anthropic shall execute.

platform.claude.com/docs/en/build-with-claude/batch-processing and .../api/messages/batches
(22 November 2026). A batch carries no mark, so one that may have been taken is known by its lines:
their ids stand in its results, which come only when it has ended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, Protocol
from urllib.parse import quote

import msgspec

from gomodel_proxy.api import (
    ShippingTerms,
    Steps,
    UpstreamError,
    UpstreamRequest,
    VendorBatch,
    VendorResult,
)
from gomodel_proxy.wire import json
from gomodel_proxy.wire.shipping import (
    one_line,
    path_id,
    read_object,
    reader,
    since,
    stopped,
    timestamp,
)

from .names import DIALECT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gomodel_proxy.api import Headers, Shipment

__all__ = ["AnthropicShipping", "Errands"]

_PATH: Final = "/messages/batches"
_TERMS: Final = ShippingTerms(lines=100_000, size=256_000_000)
_PAGE: Final = 1000  # batches on one page of the list, the most there are

_State = Literal["running", "cancelling", "ended"]
_STATES: Final[Mapping[str, _State]] = {
    "in_progress": "running",
    "canceling": "cancelling",
    "ended": "ended",
}
_STATUSES: Final = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "timeout_error": 504,
    "overloaded_error": 529,
}


class Errands(Protocol):
    """How the account asks for something besides calls: ``path`` is below its base URL."""

    def __call__(
        self, method: str, path: str, *, body: bytes = b"", extra: Headers = ()
    ) -> UpstreamRequest:
        """Return the request. ``extra`` are a caller's headers."""


class _Result(msgspec.Struct):
    type: str
    message: msgspec.Raw = json.NULL
    error: msgspec.Raw = json.NULL


class _Line(msgspec.Struct):
    custom_id: str
    result: _Result


class _Error(msgspec.Struct):
    type: str = ""


class _Envelope(msgspec.Struct):
    error: _Error = msgspec.field(default_factory=_Error)


_line = reader(_Line)
_envelope = msgspec.json.Decoder(_Envelope).decode


class AnthropicShipping:
    """A `Shipping`."""

    def __init__(self, errands: Errands) -> None:
        self._errand = errands

    def terms(self, dialect: str, model: str) -> ShippingTerms | None:
        """Return what a batch can hold: messages only."""
        return _TERMS if dialect == DIALECT else None

    def line(self, id: str, dialect: str, model: str, body: bytes) -> bytes:
        """Return one of the batch's requests."""
        return b'{"custom_id":"%b","params":%b}' % (id.encode(), one_line(body))

    def submit(self, shipment: Shipment, lines: Sequence[bytes]) -> Steps[VendorBatch]:
        """Create the batch."""
        body = b'{"requests":[%b]}' % b",".join(lines)
        return _batch(read_object((yield self._ask("POST", "", shipment, body))))

    def find(self, shipment: Shipment, lines: Sequence[str]) -> Steps[VendorBatch | None]:
        """Look through the batches made since then, and into those that have as many lines.

        Raises LookupError while one of them still runs, or cannot be looked into.
        """
        running: dict[str, Any] | None = None
        candidates = yield from self._since(shipment)
        for batch in candidates:
            if sum((batch.get("request_counts") or {}).values()) != len(lines):
                continue
            if batch.get("processing_status") != "ended":
                running = running or batch
            elif (yield from self._holds(shipment, batch, set(lines))):
                return _batch(batch)
        if running is not None:
            raise LookupError(f"it may be {running.get('id')}, which has not ended")
        return None

    def _since(self, shipment: Shipment) -> Steps[list[dict[str, Any]]]:
        """Return the batches that were made since the shipment was tried; newest come first."""
        found: list[dict[str, Any]] = []
        query = f"?limit={_PAGE}"
        while True:
            page = read_object((yield self._ask("GET", query, shipment)))
            batches = page.get("data") or []
            for batch in batches:
                if timestamp(batch.get("created_at")) < since(shipment):
                    return found
                found.append(batch)
            if not batches or not page.get("has_more"):
                return found
            query = f"?limit={_PAGE}&after_id={quote(str(batches[-1]['id']), safe='')}"

    def _holds(self, shipment: Shipment, batch: dict[str, Any], lines: set[str]) -> Steps[bool]:
        """Return whether the results of a batch are those of our lines."""
        path = f"/{quote(str(batch['id']), safe='')}/results"
        reply = yield self._ask("GET", path, shipment)
        for line in reply.body.splitlines():
            try:
                return _line(line).custom_id in lines
            except ValueError:
                continue
        raise LookupError(f"the results of {batch['id']} cannot be read")

    def poll(self, shipment: Shipment) -> Steps[VendorBatch]:
        """Ask how far it is."""
        return _batch(read_object((yield self._ask("GET", f"/{path_id(shipment)}", shipment))))

    def cancel(self, shipment: Shipment) -> Steps[None]:
        """Have it stopped."""
        yield from stopped(self._ask("POST", f"/{path_id(shipment)}/cancel", shipment))

    def results(self, shipment: Shipment) -> Sequence[UpstreamRequest]:
        """Return the request for the results."""
        return [self._ask("GET", f"/{path_id(shipment)}/results", shipment)]

    def result(self, line: bytes) -> VendorResult:
        """Read one line of the results; raises ValueError on one without sense."""
        read = _line(line)
        result = read.result
        if result.type == "succeeded":
            return VendorResult(line=read.custom_id, body=bytes(result.message))
        if result.type == "errored":
            kind = _envelope(result.error).error.type
            status = _STATUSES.get(kind, 500)
            return VendorResult(line=read.custom_id, status=status, body=bytes(result.error))
        if result.type == "canceled":
            return VendorResult(line=read.custom_id, kind="cancelled")
        if result.type == "expired":
            return VendorResult(line=read.custom_id, kind="expired")
        raise ValueError(f"no result is of the type {result.type!r}")

    def leftovers(self, shipment: Shipment) -> Sequence[UpstreamRequest]:
        """Return nothing: no file was uploaded."""
        return ()

    def _ask(
        self, method: str, path: str, shipment: Shipment, body: bytes = b""
    ) -> UpstreamRequest:
        return self._errand(method, _PATH + path, body=body, extra=shipment.headers)


def _batch(batch: dict[str, Any]) -> VendorBatch:
    state = _STATES.get(str(batch.get("processing_status")))
    if state is None or not isinstance(batch.get("id"), str):
        raise UpstreamError("The provider's batch makes no sense.", code="malformed_reply")
    return VendorBatch(id=batch["id"], state=state)
