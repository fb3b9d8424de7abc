"""xAI's batches: docs.x.ai/developers/advanced-api-usage/batch-api (22 November 2026).

A file of OpenAI's lines is uploaded as to OpenAI. A batch has a name, which is where our mark
goes, and counters where others have a status; its results come in pages of JSON.

Not verified: how large a file may be (OpenAI's limits are kept), and what a cancelled line's
result looks like (it is taken for an error, or not mentioned).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import msgspec

from gomodel_proxy.api import Steps, UpstreamError, UpstreamRequest, VendorBatch, VendorResult
from gomodel_proxy.wire import json
from gomodel_proxy.wire.openai_shipping import OpenAIBatches, OpenAIShipping
from gomodel_proxy.wire.shipping import Files, read_object, reader, stopped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gomodel_proxy.api import Shipment
    from gomodel_proxy.wire.openai_shipping import Errands

__all__ = ["XaiShipping"]

_BATCHES: Final = OpenAIBatches(
    urls={"openai.chat": "/v1/chat/completions", "openai.responses": "/v1/responses"},
    by_model=False,
)
_PAGE: Final = 100
_PAGES: Final = 50  # of the list that are looked through: it tells days, not seconds


class _Error(msgspec.Struct):
    message: str = ""


class _Outcome(msgspec.Struct):
    response: dict[str, msgspec.Raw] | None = None
    error: _Error | None = None


class _Result(msgspec.Struct):
    batch_request_id: str
    batch_result: _Outcome = msgspec.field(default_factory=_Outcome)


class _Page(msgspec.Struct):
    results: list[msgspec.Raw] = []
    pagination_token: str | None = None


_result = reader(_Result)
_page = reader(_Page)


class XaiShipping(OpenAIShipping):
    """A `Shipping` for xAI, and `PagedResults`."""

    def __init__(self, errands: Errands) -> None:
        super().__init__(errands, _BATCHES)

    def create(self, shipment: Shipment, file: str) -> dict[str, Any]:
        """Return what asks for the batch."""
        return {"name": shipment.mark, "input_file_id": file}

    def find(self, shipment: Shipment, lines: Sequence[str]) -> Steps[VendorBatch | None]:
        """Look through the list for the batch of that name.

        Raises LookupError where it is longer than anybody would read.
        """
        query: dict[str, str | int] = {"limit": _PAGE}
        for _ in range(_PAGES):
            asked = self.ask("GET", self.path, shipment, query=urlencode(query))
            listed = read_object((yield asked))
            for batch in listed.get("batches") or ():
                if batch.get("name") == shipment.mark:
                    return self.read(batch)
            if not listed.get("pagination_token"):
                return None
            query["pagination_token"] = listed["pagination_token"]
        raise LookupError(f"it is not among the first {_PAGES * _PAGE} batches that are listed")

    def cancel(self, shipment: Shipment) -> Steps[None]:
        """Have it stopped."""
        yield from stopped(self.ask("POST", f"{self.place(shipment)}:cancel", shipment))

    def read(self, batch: Mapping[str, Any]) -> VendorBatch:
        """Read a batch: one without requests is still reading its file."""
        id_, state = batch.get("batch_id"), batch.get("state") or {}
        if not isinstance(id_, str):
            raise UpstreamError("The provider's batch makes no sense.", code="malformed_reply")
        data = json.encode(Files(input=batch.get("input_file_id")))
        message = batch.get("cancel_by_xai_message")
        if message and not state.get("num_success"):
            return VendorBatch(id=id_, state="failed", error=str(message), data=data)
        stopped = bool(batch.get("cancel_time"))
        if state.get("num_pending") or not (stopped or state.get("num_requests")):
            return VendorBatch(id=id_, state="cancelling" if stopped else "running", data=data)
        rest: Any = "cancelled" if stopped else "missing"
        return VendorBatch(id=id_, state="ended", rest=rest, data=data)

    def results(self, shipment: Shipment) -> Sequence[UpstreamRequest]:
        """Return the request for the first page."""
        return [self._results(shipment, {"limit": _PAGE})]

    def page(
        self, shipment: Shipment, body: bytes
    ) -> tuple[Sequence[bytes], UpstreamRequest | None]:
        """Return the results of one page, and the request for the next one."""
        page = _page(body)
        results = [bytes(result) for result in page.results]
        token = page.pagination_token
        if not token or not results:
            return results, None
        return results, self._results(shipment, {"limit": _PAGE, "pagination_token": token})

    def result(self, line: bytes) -> VendorResult:
        """Read one result: the reply stands under the name of what was asked."""
        read = _result(line)
        outcome = read.batch_result
        body = next(iter((outcome.response or {}).values()), None)
        if body is not None:
            return VendorResult(line=read.batch_request_id, body=bytes(body))
        message = outcome.error.message if outcome.error is not None else ""
        said = {"message": message or "The provider has no response.", "type": "server_error"}
        return VendorResult(
            line=read.batch_request_id, status=500, body=json.encode({"error": said})
        )

    def _results(self, shipment: Shipment, query: dict[str, str | int]) -> UpstreamRequest:
        path = f"{self.place(shipment)}/results"
        return self.ask("GET", path, shipment, query=urlencode(query))
