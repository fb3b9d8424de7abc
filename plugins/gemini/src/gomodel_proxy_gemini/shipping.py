"""Gemini's batches, for lines that the vendor shall execute.

ai.google.dev/gemini-api/docs/batch-api, .../api/batch-api and .../api/files (22 November 2026). The
lines are uploaded as a file, so the results are a file too: what is written into the request itself
comes back in one piece of JSON. A batch is of one model, and its display name is our mark.

Embeddings stay with the gateway: a line may ask for several at once, which the vendor's batches of
them (``:asyncBatchEmbedContent``) cannot say. Not verified: how many lines a file may have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, Protocol
from urllib.parse import urlencode, urlsplit

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
    Files,
    created,
    one_line,
    read_object,
    reader,
    remembered,
    since,
    stopped,
    timestamp,
)

from .request import full_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gomodel_proxy.api import Headers, Shipment

__all__ = ["Errands", "GeminiShipping"]

_DIALECT: Final = "gemini.generate"
_TERMS: Final = ShippingTerms(lines=50_000, size=2_000_000_000, by_model=True)
_PAGE: Final = 100
_KIND: Final = "application/jsonl"

_State = Literal["running", "ended", "failed"]
_STATES: Final[Mapping[str, _State]] = {
    "BATCH_STATE_UNSPECIFIED": "running",
    "BATCH_STATE_PENDING": "running",
    "BATCH_STATE_RUNNING": "running",
    "BATCH_STATE_SUCCEEDED": "ended",
    "BATCH_STATE_CANCELLED": "ended",
    "BATCH_STATE_EXPIRED": "ended",
    "BATCH_STATE_FAILED": "failed",
}
_RESTS: Final[Mapping[str, Literal["cancelled", "expired"]]] = {
    "BATCH_STATE_CANCELLED": "cancelled",
    "BATCH_STATE_EXPIRED": "expired",
}
_STATUSES: Final = {3: 400, 4: 504, 5: 404, 7: 403, 8: 429, 13: 500, 14: 503, 16: 401}
"""HTTP's status for each of gRPC's codes (github.com/googleapis/googleapis, google/rpc/code)."""


class Errands(Protocol):
    """How the account asks for something besides calls."""

    def __call__(
        self,
        method: str,
        path: str,
        *,
        body: bytes = b"",
        extra: Headers = (),
        above: str = "",
        keyless: bool = False,
    ) -> UpstreamRequest:
        """Return the request. ``path`` is below the base URL, whose own path stands behind
        ``above``; ``keyless`` ones are for what carries its permission in its address.
        """


class _Error(msgspec.Struct):
    code: int = 13
    message: str = ""


class _Line(msgspec.Struct):
    key: str
    response: msgspec.Raw = json.NULL
    error: msgspec.Raw = json.NULL


_line = reader(_Line)
_error = msgspec.json.Decoder(_Error).decode


class GeminiShipping:
    """A `Shipping`."""

    def __init__(self, errands: Errands) -> None:
        self._errand = errands

    def terms(self, dialect: str, model: str) -> ShippingTerms | None:
        """Return what a batch can hold: generation, of one model."""
        return _TERMS if dialect == _DIALECT else None

    def line(self, id: str, dialect: str, model: str, body: bytes) -> bytes:
        """Return one line of the file."""
        return b'{"key":"%b","request":%b}' % (id.encode(), one_line(body))

    def submit(self, shipment: Shipment, lines: Sequence[bytes]) -> Steps[VendorBatch]:
        """Upload the lines and make a batch of them; a refused one leaves no file behind."""
        file = yield from self._upload(shipment, b"\n".join(lines) + b"\n")
        asked = {"displayName": shipment.mark, "inputConfig": {"fileName": file}}
        path = f"/{full_name(shipment.model)}:batchGenerateContent"
        create = self._errand("POST", path, body=json.encode({"batch": asked}))
        reply = yield from created(create, self._errand("DELETE", f"/{file}"))
        return _batch(read_object(reply), file)

    def _upload(self, shipment: Shipment, content: bytes) -> Steps[str]:
        """Return the name of the file, uploaded in the two steps of the resumable protocol."""
        start = (
            ("x-goog-upload-protocol", "resumable"),
            ("x-goog-upload-command", "start"),
            ("x-goog-upload-header-content-length", str(len(content))),
            ("x-goog-upload-header-content-type", _KIND),
        )
        named = json.encode({"file": {"displayName": shipment.mark}})
        reply = yield self._errand("POST", "/files", body=named, extra=start, above="/upload")
        address = urlsplit(dict(reply.headers).get("x-goog-upload-url", ""))
        if not address.query:
            raise UpstreamError("The provider names no place to upload to.", code="malformed_reply")
        # its path alone is taken: the lines go to nobody but the configured host
        place = f"{address.path}?{address.query}"
        extra = (("x-goog-upload-offset", "0"), ("x-goog-upload-command", "upload, finalize"))
        reply = yield self._errand("POST", place, body=content, extra=extra, keyless=True)
        return str(read_object(reply)["file"]["name"])

    def find(self, shipment: Shipment, lines: Sequence[str]) -> Steps[VendorBatch | None]:
        """Look through the list for the batch with the shipment's mark."""
        query: dict[str, str | int] = {"pageSize": _PAGE}
        while True:
            page = read_object((yield self._errand("GET", f"/batches?{urlencode(query)}")))
            operations = page.get("operations") or []
            for operation in operations:
                made = operation.get("metadata") or {}
                if made.get("displayName") == shipment.mark:
                    return _batch(operation)
            # no order is promised, so only a page that is old altogether ends the search
            old = [_made(one) < since(shipment) for one in operations]
            if not page.get("nextPageToken") or not operations or all(old):
                return None
            query["pageToken"] = page["nextPageToken"]

    def poll(self, shipment: Shipment) -> Steps[VendorBatch]:
        """Ask how far it is."""
        reply = yield self._errand("GET", f"/{shipment.vendor_id}")
        return _batch(read_object(reply), remembered(shipment).input)

    def cancel(self, shipment: Shipment) -> Steps[None]:
        """Have it stopped."""
        yield from stopped(self._errand("POST", f"/{shipment.vendor_id}:cancel"))

    def results(self, shipment: Shipment) -> Sequence[UpstreamRequest]:
        """Return the request for the file of results, if there is one."""
        file = remembered(shipment).output
        path = f"/{file}:download?alt=media"
        return [self._errand("GET", path, above="/download")] if file else []

    def result(self, line: bytes) -> VendorResult:
        """Read one line of the results; raises ValueError on one without sense."""
        read = _line(line)
        if read.response != json.NULL:
            return VendorResult(line=read.key, body=bytes(read.response))
        if read.error == json.NULL:
            raise ValueError("the line has neither a response nor an error")
        code = _error(read.error).code
        status = code if 400 <= code < 600 else _STATUSES.get(code, 500)
        body = b'{"error":%b}' % bytes(read.error)
        return VendorResult(line=read.key, status=status, body=body)

    def leftovers(self, shipment: Shipment) -> Sequence[UpstreamRequest]:
        """Return the request that deletes the file we uploaded."""
        file = remembered(shipment).input
        return [self._errand("DELETE", f"/{file}")] if file else []


def _batch(operation: Mapping[str, Any], file: str | None = None) -> VendorBatch:
    """Read a batch; ``file`` is what we know its lines to be in."""
    name, about = operation.get("name"), operation.get("metadata") or {}
    status = about.get("state", "BATCH_STATE_UNSPECIFIED")
    state = _STATES.get(status)
    if state is None or not isinstance(name, str) or not name.startswith("batches/"):
        raise UpstreamError("The provider's batch makes no sense.", code="malformed_reply")
    output = (operation.get("response") or about.get("output") or {}).get("responsesFile")
    told = operation.get("error") or {}
    return VendorBatch(
        id=name,
        state=state,
        rest=_RESTS.get(status, "missing"),
        error=told.get("message") if state == "failed" else None,
        data=json.encode(Files(input=file, output=output)),
    )


def _made(operation: Mapping[str, Any]) -> float:
    return timestamp((operation.get("metadata") or {}).get("createTime"))
