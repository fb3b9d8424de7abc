"""Gemini's files and batches, played: ai.google.dev/api/batch-api (2026-11)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from gomodel_proxy.testing.vendor import Batch, Vendor

__all__ = ["GeminiVendor"]


class GeminiVendor(Vendor):
    """Lines that say ``fail`` are refused. ``status``: what batches have come to at their end."""

    def __init__(self) -> None:
        super().__init__()
        self.files: dict[str, bytes] = {}
        self.status = "SUCCEEDED"

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of files and batches."""
        return [
            web.post("/upload/v1beta/files", self._start),
            web.post("/upload/place", self._finish),
            web.delete("/v1beta/files/{file}", self._delete),
            web.get("/download/v1beta/files/{file}:download", self._download),
            web.post("/v1beta/models/{model}:batchGenerateContent", self._create),
            web.get("/v1beta/batches", self._list),
            web.get("/v1beta/batches/{id}", self.get),
            web.post("/v1beta/batches/{id}:cancel", self._cancel),
        ]

    async def _start(self, request: web.Request) -> web.Response:
        assert request.headers["x-goog-upload-command"] == "start"
        place = "https://elsewhere.example/upload/place?upload_id=1"
        return web.Response(headers={"x-goog-upload-url": place})

    async def _finish(self, request: web.Request) -> web.Response:
        assert "x-goog-api-key" not in request.headers
        name = f"files/f{len(self.asked)}"
        self.files[name] = await request.read()
        return web.json_response({"file": {"name": name}})

    async def _delete(self, request: web.Request) -> web.Response:
        del self.files[f"files/{request.match_info['file']}"]
        return web.json_response({})

    async def _create(self, request: web.Request) -> web.StreamResponse:
        asked = (await request.json())["batch"]
        file = self.files[asked["inputConfig"]["fileName"]]
        lines = [json.loads(line) for line in file.splitlines()]
        batch = Batch(f"v{len(self.batches)}", asked, lines)
        return await self.accept(request, batch, self.told(batch, "PENDING"))

    def told(self, batch: Batch, status: str) -> dict[str, Any]:
        """Return the operation of a batch."""
        about = {
            "displayName": batch.asked["displayName"],
            "state": f"BATCH_STATE_{status}",
            "createTime": datetime.now(UTC).isoformat(),
        }
        told: dict[str, Any] = {"name": f"batches/{batch.id}", "metadata": about}
        if status == "SUCCEEDED":
            told |= {"done": True, "response": {"responsesFile": f"files/{batch.id}"}}
        return told

    def now(self, batch: Batch) -> dict[str, Any]:
        """Return what is told of a batch that is asked about."""
        if batch.cancelled:
            return self.told(batch, "CANCELLED")
        return self.told(batch, self.status if self.ended else "RUNNING")

    async def _list(self, request: web.Request) -> web.Response:
        page, more = self.page(request.query.get("pageToken"))
        told: dict[str, Any] = {"operations": [self.now(one) for one in page]}
        if more:
            told["nextPageToken"] = page[-1].id
        return web.json_response(told)

    async def _cancel(self, request: web.Request) -> web.Response:
        await self.cancel(request)
        return web.json_response({})

    async def _download(self, request: web.Request) -> web.Response:
        assert request.query["alt"] == "media"
        batch = self.batches[request.match_info["file"]]
        lines = self.spoil([json.dumps(self.result(line)).encode() for line in batch.lines])
        return web.Response(body=b"\n".join(lines))

    def result(self, line: dict[str, Any]) -> dict[str, Any]:
        """Return a line of the results."""
        text = line["request"]["contents"][-1]["parts"][-1]["text"]
        if text == "fail":
            error = {"code": 3, "message": "bad words", "status": "INVALID_ARGUMENT"}
            return {"key": line["key"], "error": error}
        content = {"role": "model", "parts": [{"text": f"echo {text}"}]}
        response = {
            "candidates": [{"content": content, "finishReason": "STOP", "index": 0}],
            "usageMetadata": {
                "promptTokenCount": 7,
                "candidatesTokenCount": 3,
                "totalTokenCount": 10,
            },
            "modelVersion": "gemini-2.5-flash",
        }
        return {"key": line["key"], "response": response}
