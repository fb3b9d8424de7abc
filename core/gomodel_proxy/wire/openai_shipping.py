"""OpenAI's own batches, for lines that it shall execute; public, for whoever copies this API.

A file of lines is uploaded, a batch is made of it, two files hold what became of the lines.
https://platform.openai.com/docs/guides/batch and .../api-reference/batch (22 November 2026).
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol
from urllib.parse import quote, urlencode

import msgspec

from gomodel_proxy.api import (
    ShippingTerms,
    Steps,
    UpstreamError,
    UpstreamRequest,
    VendorBatch,
    VendorResult,
)

from . import json
from .multipart import form
from .shipping import (
    Files,
    created,
    one_line,
    path_id,
    read_object,
    reader,
    remembered,
    since,
    stopped,
    timestamp,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gomodel_proxy.api import Headers, Shipment

__all__ = [
    "MARK",
    "URLS",
    "Errands",
    "OpenAIBatches",
    "OpenAIShipping",
    "read_result",
]

MARK: Final = "gomodel_shipment"
"""The metadata key that holds a shipment's mark."""

URLS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "openai.chat": "/v1/chat/completions",
        "openai.responses": "/v1/responses",
        "openai.embeddings": "/v1/embeddings",
        "openai.completions": "/v1/completions",
        "openai.moderations": "/v1/moderations",
    }
)
"""What lines and batches name, by dialect, at OpenAI."""

_PAGE: Final = 100  # batches on one page of the list, the most that OpenAI gives

_State = Literal["running", "cancelling", "ended", "failed"]
_STATES: Final[Mapping[str, _State]] = MappingProxyType(
    {
        "validating": "running",
        "in_progress": "running",
        "finalizing": "running",
        "cancelling": "cancelling",
        "completed": "ended",
        "expired": "ended",
        "cancelled": "ended",
        "failed": "failed",
    }
)
_RESTS: Final[Mapping[str, Literal["cancelled", "expired"]]] = MappingProxyType(
    {"cancelled": "cancelled", "expired": "expired"}
)
_FULL: Final = "token_limit_exceeded"  # too much is waiting there already; later there is room


class OpenAIBatches(msgspec.Struct, frozen=True, kw_only=True):
    """What a vendor's copy of this API takes; the defaults are OpenAI's own.

    ``urls`` are what lines and batches name, by dialect; ``size`` is bytes.
    """

    urls: Mapping[str, str] = URLS
    lines: int = 50_000
    size: int = 200_000_000
    by_model: bool = True
    window: str = "24h"


class Errands(Protocol):
    """How an account asks for something besides calls: ``path`` is below its base URL."""

    def __call__(
        self,
        method: str,
        path: str,
        *,
        body: bytes = b"",
        query: str = "",
        content_type: str = "application/json",
        extra: Headers = (),
    ) -> UpstreamRequest:
        """Return the request. ``extra`` are a caller's headers."""


class _Response(msgspec.Struct):
    status_code: int = 200
    body: msgspec.Raw = json.NULL


class _Said(msgspec.Struct):
    code: str | int | None = None
    message: str | None = None


class _Line(msgspec.Struct):
    custom_id: str
    response: _Response | None = None
    error: _Said | None = None


_line = reader(_Line)


class OpenAIShipping:
    """A `Shipping` for OpenAI and, by its ``batches``, for those who copy it.

    Those who change more than that are classes on top of it: they have another ``path``, another
    way to ``create`` a batch and to ``read`` one.
    """

    path = "/batches"

    def __init__(self, errands: Errands, batches: OpenAIBatches | None = None) -> None:
        self._errand = errands
        self.batches = batches or OpenAIBatches()

    def terms(self, dialect: str, model: str) -> ShippingTerms | None:
        """Return what a batch of such lines can hold, None if the vendor takes none."""
        batches = self.batches
        if dialect not in batches.urls:
            return None
        return ShippingTerms(lines=batches.lines, size=batches.size, by_model=batches.by_model)

    def line(self, id: str, dialect: str, model: str, body: bytes) -> bytes:
        """Return one line of the input file."""
        url = self.batches.urls[dialect]
        return b'{"custom_id":"%b","method":"POST","url":"%b","body":%b}' % (
            id.encode(),
            url.encode(),
            one_line(body),
        )

    def submit(self, shipment: Shipment, lines: Sequence[bytes]) -> Steps[VendorBatch]:
        """Upload the lines and make a batch of them; a refused one leaves no file behind."""
        kind, body = form({"purpose": "batch"}, f"{shipment.mark}.jsonl", b"\n".join(lines) + b"\n")
        extra = shipment.headers
        reply = yield self._errand("POST", "/files", body=body, content_type=kind, extra=extra)
        file = str(read_object(reply)["id"])
        asked = json.encode(self.create(shipment, file))
        create = self._errand("POST", self.path, body=asked, extra=extra)
        reply = yield from created(create, self._delete(shipment, file))
        return self.read(read_object(reply))

    def create(self, shipment: Shipment, file: str) -> dict[str, Any]:
        """Return what asks for a batch of an uploaded file."""
        return {
            "input_file_id": file,
            "endpoint": self.batches.urls[shipment.dialect],
            "completion_window": self.batches.window,
            "metadata": {MARK: shipment.mark},
        }

    def find(self, shipment: Shipment, lines: Sequence[str]) -> Steps[VendorBatch | None]:
        """Look through the batches made since then for the one with the shipment's mark."""
        query: dict[str, str | int] = {"limit": _PAGE}
        found: dict[str, Any] | None = None
        last = ""
        while True:
            page = read_object((yield self.ask("GET", self.path, shipment, query=urlencode(query))))
            batches = [batch for batch in page.get("data") or () if isinstance(batch, dict)]
            for batch in batches:
                mine = (batch.get("metadata") or {}).get(MARK) == shipment.mark
                # one that had failed for lack of room may have been handed over again
                if mine and (found is None or found.get("status") == "failed"):
                    found = batch
            # newest first; a vendor without pages gives the same one again
            if not batches or str(batches[-1].get("id")) == last or not page.get("has_more"):
                break
            if timestamp(batches[-1].get("created_at")) < since(shipment):
                break
            last = str(batches[-1].get("id"))
            query["after"] = last
        return None if found is None else self.read(found)

    def poll(self, shipment: Shipment) -> Steps[VendorBatch]:
        """Ask how far it is."""
        return self.read(read_object((yield self.ask("GET", self.place(shipment), shipment))))

    def cancel(self, shipment: Shipment) -> Steps[None]:
        """Have it stopped."""
        yield from stopped(self.ask("POST", f"{self.place(shipment)}/cancel", shipment))

    def read(self, batch: Mapping[str, Any]) -> VendorBatch:
        """Read a batch object; raises `UpstreamError` on what is none."""
        status = str(batch.get("status")).lower()  # some copies begin with a capital
        state = _STATES.get(status)
        if state is None or not isinstance(batch.get("id"), str):
            raise UpstreamError("The provider's batch makes no sense.", code="malformed_reply")
        errors = list(_errors(batch))
        return VendorBatch(
            id=batch["id"],
            state=state,
            rest=_RESTS.get(status, "missing"),
            error="; ".join(text for _, text in errors) or None if state == "failed" else None,
            again=state == "failed" and any(code == _FULL for code, _ in errors),
            data=json.encode(
                Files(
                    input=batch.get("input_file_id"),
                    output=batch.get("output_file_id"),
                    errors=batch.get("error_file_id"),
                )
            ),
        )

    def results(self, shipment: Shipment) -> Sequence[UpstreamRequest]:
        """Return the requests for the output file and the error file."""
        files = remembered(shipment)
        return [
            self.ask("GET", f"/files/{quote(file, safe='')}/content", shipment)
            for file in (files.output, files.errors)
            if file
        ]

    def result(self, line: bytes) -> VendorResult:
        """Read one line of either file."""
        return read_result(line)

    def leftovers(self, shipment: Shipment) -> Sequence[UpstreamRequest]:
        """Return the request that deletes the file we uploaded."""
        file = remembered(shipment).input
        return [self._delete(shipment, file)] if file else []

    def _delete(self, shipment: Shipment, file: str) -> UpstreamRequest:
        return self.ask("DELETE", f"/files/{quote(file, safe='')}", shipment)

    def place(self, shipment: Shipment) -> str:
        """Return the path of a batch."""
        return f"{self.path}/{path_id(shipment)}"

    def ask(
        self, method: str, path: str, shipment: Shipment, *, query: str = ""
    ) -> UpstreamRequest:
        """Return a request in the caller's name: what is its organization's is nobody else's."""
        return self._errand(method, path, query=query, extra=shipment.headers)


def read_result(line: bytes) -> VendorResult:
    """Read one line of an output or an error file; raises ValueError on one without sense."""
    read = _line(line)
    response, said = read.response, read.error
    if said is not None and (response is None or response.body == json.NULL):
        code = str(said.code or "")
        if code in ("batch_expired", "batch_cancelled"):
            kind: Literal["expired", "cancelled"]
            kind = "expired" if code == "batch_expired" else "cancelled"
            return VendorResult(line=read.custom_id, kind=kind)
        status = response.status_code if response is not None else 500
        body = {"error": {"message": said.message or code, "type": "server_error", "code": code}}
        return VendorResult(line=read.custom_id, status=max(status, 400), body=json.encode(body))
    if response is None:
        raise ValueError("the line has neither a response nor an error")
    return VendorResult(line=read.custom_id, status=response.status_code, body=bytes(response.body))


def _errors(batch: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    errors = batch.get("errors")
    listed = errors.get("data") if isinstance(errors, dict) else None
    for error in (listed or ())[:5]:
        if isinstance(error, dict):
            yield str(error.get("code") or ""), str(error.get("message") or "")
