"""OpenAI's files and batches, played: platform.openai.com/docs/api-reference/batch (2026-11)."""

from __future__ import annotations

import json
import time
from typing import Any

from aiohttp import web

from .vendor import Batch, Vendor

__all__ = ["OpenAIVendor", "completion"]


def completion(body: dict[str, Any]) -> dict[str, Any]:
    """Return the reply to a chat completion: what was said last, and 7 and 3 tokens."""
    said = body["messages"][-1]["content"]
    text = said if isinstance(said, str) else said[-1]["text"]
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": body.get("model", "m"),
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": f"echo {text}", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10},
    }


class OpenAIVendor(Vendor):
    """Lines whose last message is ``fail`` are refused, in the error file.

    ``status``: what batches come to; ``errors``: why, if that is "failed".
    """

    def __init__(self) -> None:
        super().__init__()
        self.files: dict[str, bytes] = {}
        self.status = "completed"
        self.errors: list[dict[str, str]] = []

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of files and batches."""
        return [
            web.post("/v1/files", self._upload),
            web.delete("/v1/files/{file}", self._delete),
            web.get("/v1/files/{file}/content", self._content),
            web.post("/v1/batches", self._create),
            web.get("/v1/batches", self._list),
            web.get("/v1/batches/{id}", self.get),
            web.post("/v1/batches/{id}/cancel", self.cancel),
        ]

    async def _upload(self, request: web.Request) -> web.Response:
        form = await request.post()
        assert form["purpose"] == "batch"
        upload = form["file"]
        assert isinstance(upload, web.FileField)
        id_ = f"file-{len(self.asked)}"
        self.files[id_] = upload.file.read()
        return web.json_response({"id": id_, "object": "file", "purpose": "batch"})

    async def _delete(self, request: web.Request) -> web.Response:
        del self.files[request.match_info["file"]]
        return web.json_response({"deleted": True})

    async def _content(self, request: web.Request) -> web.Response:
        id_, _, kind = request.match_info["file"].rpartition("-")
        batch = self.batches[id_]
        failed = [line for line in batch.lines if self.fails(line)]
        chosen = failed if kind == "errors" else [one for one in batch.lines if one not in failed]
        lines = self.spoil([json.dumps(self.result(line)).encode() for line in chosen])
        return web.Response(body=b"\n".join(lines) + b"\n")

    def fails(self, line: dict[str, Any]) -> bool:
        """Return whether a line is refused."""
        return '"fail"' in json.dumps(line["body"])

    def result(self, line: dict[str, Any]) -> dict[str, Any]:
        """Return the line of the output file, or of the error file."""
        status, body = 200, completion(line["body"])
        if self.fails(line):
            status = 400
            body = {"error": {"message": "bad words", "type": "invalid_request_error"}}
        response = {"status_code": status, "request_id": "req-1", "body": body}
        told = {"id": "r1", "custom_id": line["custom_id"], "response": response, "error": None}
        if self.status in ("expired", "cancelled") and self.fails(line):
            told["response"] = None
            told["error"] = {"code": f"batch_{self.status}", "message": "too late"}
        return told

    async def _create(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        lines = [json.loads(line) for line in self.files[asked["input_file_id"]].splitlines()]
        batch = Batch(f"batch_v{len(self.batches)}", asked, lines)
        return await self.accept(request, batch, self.told(batch, "validating"))

    def told(self, batch: Batch, status: str | None = None) -> dict[str, Any]:
        """Return a batch object."""
        status = status or self.status
        ended = status in ("completed", "expired", "cancelled")
        failed = any(self.fails(line) for line in batch.lines)
        return {
            "id": batch.id,
            "object": "batch",
            "status": status,
            "created_at": int(time.time()),
            "input_file_id": batch.asked["input_file_id"],
            "output_file_id": f"{batch.id}-output" if ended else None,
            "error_file_id": f"{batch.id}-errors" if ended and failed else None,
            "metadata": batch.asked["metadata"],
            "errors": {"data": self.errors} if status == "failed" else None,
        }

    def now(self, batch: Batch) -> dict[str, Any]:
        """Return what is told of a batch that is asked about."""
        if not self.ended:
            return self.told(batch, "cancelling" if batch.cancelled else "in_progress")
        return self.told(batch)

    async def _list(self, request: web.Request) -> web.Response:
        page, more = self.page(request.query.get("after"))
        return web.json_response({"data": [self.now(one) for one in page], "has_more": more})
