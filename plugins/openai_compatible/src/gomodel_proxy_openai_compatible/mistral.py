"""Mistral's batch jobs: docs.mistral.ai/capabilities/batch and .../api (22 November 2026).

As OpenAI's, with words of its own: a job names its files, its model and its hours; a line has an id
and a body without the model.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import urlencode

from gomodel_proxy.api import Steps, UpstreamError, VendorBatch
from gomodel_proxy.wire import json
from gomodel_proxy.wire.openai_shipping import MARK, OpenAIBatches, OpenAIShipping
from gomodel_proxy.wire.shipping import Files, one_line, read_object, since

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gomodel_proxy.api import Shipment
    from gomodel_proxy.wire.openai_shipping import Errands

__all__ = ["MistralShipping"]

_BATCHES: Final = OpenAIBatches(
    urls={
        "openai.chat": "/v1/chat/completions",
        "openai.embeddings": "/v1/embeddings",
        "openai.moderations": "/v1/moderations",
    },
    lines=50_000,  # a million may wait in a workspace; no limit of one file is told
    size=200_000_000,
)
_HOURS: Final = 24
_PAGE: Final = 100

_State = Literal["running", "cancelling", "ended", "failed"]
_STATES: Final[Mapping[str, _State]] = {
    "QUEUED": "running",
    "RUNNING": "running",
    "CANCELLATION_REQUESTED": "cancelling",
    "SUCCESS": "ended",
    "TIMEOUT_EXCEEDED": "ended",
    "CANCELLED": "ended",
    "FAILED": "failed",
}
_RESTS: Final[Mapping[str, Literal["expired", "cancelled"]]] = {
    "TIMEOUT_EXCEEDED": "expired",
    "CANCELLED": "cancelled",
}


class MistralShipping(OpenAIShipping):
    """A `Shipping` for Mistral; files are those of OpenAI's API."""

    path = "/batch/jobs"

    def __init__(self, errands: Errands) -> None:
        super().__init__(errands, _BATCHES)

    def line(self, id: str, dialect: str, model: str, body: bytes) -> bytes:
        """Return one line of the input file; the job says the model."""
        members = json.members(body)
        members.pop("model", None)
        return b'{"custom_id":"%b","body":%b}' % (id.encode(), one_line(json.encode(members)))

    def create(self, shipment: Shipment, file: str) -> dict[str, Any]:
        """Return what asks for the job."""
        return {
            "input_files": [file],
            "model": shipment.model,
            "endpoint": self.batches.urls[shipment.dialect],
            "timeout_hours": _HOURS,
            "metadata": {MARK: shipment.mark},
        }

    def find(self, shipment: Shipment, lines: Sequence[str]) -> Steps[VendorBatch | None]:
        """Look through the jobs made since then for the one with the shipment's mark."""
        after = datetime.fromtimestamp(since(shipment), UTC).isoformat()
        page = 0
        while True:
            query = urlencode({"page": page, "page_size": _PAGE, "created_after": after})
            listed = read_object((yield self.ask("GET", self.path, shipment, query=query)))
            jobs = listed.get("data") or []
            for job in jobs:
                if (job.get("metadata") or {}).get(MARK) == shipment.mark:
                    return self.read(job)
            page += 1
            if len(jobs) < _PAGE:
                return None

    def read(self, batch: Mapping[str, Any]) -> VendorBatch:
        """Read a job."""
        status = str(batch.get("status"))
        state = _STATES.get(status)
        if state is None or not isinstance(batch.get("id"), str):
            raise UpstreamError("The provider's job makes no sense.", code="malformed_reply")
        output, errors = batch.get("output_file"), batch.get("error_file")
        if state == "failed" and (output or errors):
            state = "ended"  # some of it was executed
        said = [str(one.get("message")) for one in (batch.get("errors") or ())[:5]]
        inputs = batch.get("input_files") or [None]
        return VendorBatch(
            id=batch["id"],
            state=state,
            rest=_RESTS.get(status, "missing"),
            error="; ".join(said) or None if state == "failed" else None,
            data=json.encode(Files(input=inputs[0], output=output, errors=errors)),
        )
