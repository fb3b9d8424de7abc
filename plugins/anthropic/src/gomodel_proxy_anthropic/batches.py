"""Message Batches: platform.claude.com/docs/en/api/creating-message-batches (22 November 2026).

Counts grow while a batch is under way; Anthropic's own stay at zero until its end.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from msgspec import Raw

from gomodel_proxy.api import BatchAsk, GatewayError, InvalidRequest, LineAsk
from gomodel_proxy.wire import json
from gomodel_proxy.wire.later import later
from gomodel_proxy.wire.openai_failure import read_failure
from gomodel_proxy.wire.openai_request import missing, require

from . import errors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gomodel_proxy.api import Batch, LineResult
    from gomodel_proxy.wire import openai_batch_requests as batch_requests
    from gomodel_proxy.wire import openai_batch_results as batch_results
else:
    batch_requests, batch_results = later(
        "gomodel_proxy.wire", "openai_batch_requests", "openai_batch_results"
    )

__all__ = ["MessageBatches"]

_URL: Final = "/v1/messages"
_OURS: Final = "batch_"
_THEIRS: Final = "msgbatch_"
_ENDED: Final = frozenset({"completed", "failed", "expired", "cancelled"})
_NEVER: Final = {"batch_cancelled": "canceled", "batch_expired": "expired"}
_KNOWN: Final = frozenset({"requests"})
_ERROR: Final = Raw(b'"error"')


class MessageBatches:
    """``/v1/messages/batches``; a `BatchView` of all batches, whatever made them."""

    path = f"{_URL}/batches"
    deletes = True
    jsonl = True
    cursors = ("after_id", "before_id")
    default_limit = 20
    max_limit = 1000

    def name(self, id: str) -> str:
        """Return the id that callers see: the batch's hex behind a prefix of Anthropic's."""
        return _THEIRS + id.removeprefix(_OURS)

    def id(self, name: str) -> str:
        """Return the batch's id; empty for what cannot be one."""
        return _OURS + name.removeprefix(_THEIRS) if name.startswith(_THEIRS) else ""

    def read(self, body: bytes) -> BatchAsk:
        """Read a request for a batch; raises `InvalidRequest`."""
        members = json.fields(body)
        if "requests" not in members:
            raise missing("requests")
        return BatchAsk(
            endpoint=_URL,
            lines=batch_requests.read_lines(members["requests"], _line),
            ignored=tuple(name for name in members if name not in _KNOWN),
        )

    def write(self, batch: Batch, results: Sequence[LineResult] | None, base_url: str) -> bytes:
        """Write a batch. Results never stand in it: callers read them from ``results_url``."""
        name, ended = self.name(batch.id), batch.status in _ENDED
        return json.encode(
            {
                "id": name,
                "type": "message_batch",
                "processing_status": _status(batch),
                "request_counts": _counts(batch),
                "created_at": _time(batch.created),
                "expires_at": _time(batch.expires),
                "ended_at": _time(_end(batch)),
                "cancel_initiated_at": _time(batch.cancelling_at),
                "archived_at": None,
                "results_url": f"{base_url}{self.path}/{name}/results" if ended else None,
            }
        )

    def page(self, batches: Sequence[bytes], names: Sequence[str], more: bool) -> bytes:
        """Write a page of batches."""
        return json.encode(
            {
                "data": [Raw(batch) for batch in batches],
                "has_more": more,
                "first_id": names[0] if names else None,
                "last_id": names[-1] if names else None,
            }
        )

    def deleted(self, name: str) -> bytes:
        """Write that a batch is deleted."""
        return json.encode({"id": name, "type": "message_batch_deleted"})

    def result(self, batch: Batch, result: LineResult) -> bytes:
        """Write one result. A reply that is no message is told of, and where it can be read."""
        told = None if result.result is None else batch_results.read(result.result)
        outcome = {"type": "canceled"} if told is None else _outcome(batch, result, told)
        return json.encode({"custom_id": result.custom_id, "result": outcome})


def _line(members: dict[str, Raw]) -> LineAsk:
    return LineAsk(
        custom_id=batch_requests.read_text(members, "custom_id"),
        method="POST",
        url=_URL,
        body=require(members, "params", "object"),
    )


def _status(batch: Batch) -> str:
    if batch.status in _ENDED:
        return "ended"
    return "canceling" if batch.status == "cancelling" else "in_progress"


def _counts(batch: Batch) -> dict[str, int]:
    left = batch.total - batch.completed - batch.failed
    ended = batch.status in _ENDED
    return {
        "processing": 0 if ended else left,
        "succeeded": batch.completed,
        "errored": batch.failed,
        "canceled": left if batch.status == "cancelled" else 0,
        "expired": left if batch.status == "expired" else 0,
    }


def _end(batch: Batch) -> int | None:
    if batch.status not in _ENDED:
        return None
    return batch.completed_at or batch.failed_at or batch.expired_at or batch.cancelled_at


def _time(time: int | None) -> str | None:
    if time is None:
        return None
    return datetime.fromtimestamp(time / 1_000_000, UTC).isoformat().replace("+00:00", "Z")


# ---------------------------------------------------------------- results


def _outcome(batch: Batch, result: LineResult, told: batch_results.Result) -> dict[str, Any]:
    if told.code in _NEVER:
        return {"type": _NEVER[told.code]}
    if result.url != _URL:
        return _errored(
            errors.envelope(
                InvalidRequest(
                    f"This request was made at {result.url}, so its reply is no message: it is at "
                    f"/v1/batches/{batch.id}/results, line {result.index}."
                )
            )
        )
    if told.body is None:
        return _errored(errors.envelope(GatewayError(told.message or "There was no reply.")))
    if result.failed:
        return _errored(_envelope(told.status, bytes(told.body)))
    return {"type": "succeeded", "message": told.body}


def _errored(envelope: bytes) -> dict[str, Any]:
    return {"type": "errored", "error": Raw(envelope)}


def _envelope(status: int, body: bytes) -> bytes:
    """Return a refusal in Anthropic's shape: as it is if it has that, else what it says."""
    try:
        members = json.members(body)
    except ValueError:
        members = {}
    if members.get("type") == _ERROR and json.kind(members.get("error", json.NULL)) == "object":
        return body
    return errors.envelope(read_failure(status, (), body))
