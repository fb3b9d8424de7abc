"""Recorded traffic of vendors that speak OpenAI's dialects: nothing of it may get lost."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest

RECORDED = Path(__file__).parents[3] / "shared" / "recorded"
PATHS = {
    "openai-chat": "/v1/chat/completions",
    "openai-responses": "/v1/responses",
    "openai-embed": "/v1/embeddings",
}
MINIMAL = {
    "openai-chat": {"messages": [{"role": "user", "content": "Hi"}]},
    "openai-responses": {"input": "Hi"},
    "openai-embed": {"input": "Hi"},
}


def _recordings() -> list[Any]:
    with (RECORDED / "INDEX.tsv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["dialect"] in PATHS]
    return [pytest.param(row["file"], id=row["file"].removesuffix(".json")) for row in rows]


if not RECORDED.is_dir():
    pytest.skip("there is no recorded vendor traffic to replay", allow_module_level=True)

pytestmark = [
    pytest.mark.recorded,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.parametrize("file", _recordings()),
]


@pytest.mark.parametrize("address", ["prefix", "hint"])
async def test_a_recording_survives(setup, exact, reply, file, address):
    recording = json.loads((RECORDED / file).read_text(encoding="utf-8"))
    dialect, streamed = recording["dialect"], recording["stream"]
    sent = recording["request"] or {**MINIMAL[dialect], "model": recording["model"]}
    if streamed:
        sent["stream"] = True
    body = recording["body"].encode()
    canned = reply(body, recording["content_type"], recording["status"])
    answer = await setup.post(PATHS[dialect], _addressed(sent, address), canned, file)

    assert setup.vendor.path == PATHS[dialect]
    assert setup.vendor.headers["authorization"] == "Bearer sk-up-canary"
    assert exact(setup.vendor.body) == exact(json.dumps(_upstream(sent, dialect)))
    assert answer.status == recording["status"]
    assert answer.headers["X-GoModel-Provider"] == "up"
    if streamed:
        _check_stream(answer, body, recording["content_type"])
    else:
        _check_reply(answer, exact(body), recording["content_type"])
    failed = answer.status != 200 or (streamed and b'"error":{' in body)
    _check_usage(answer, _usage(recording), failed)


def _addressed(sent: dict[str, Any], address: str) -> dict[str, Any]:
    """Name the account in the model, or in a ``provider`` of its own."""
    if address == "prefix" or "provider" in sent:
        return {**sent, "model": f"up/{sent['model']}"}
    return {"provider": "up", **sent}


def _upstream(sent: dict[str, Any], dialect: str) -> dict[str, Any]:
    """Return what the vendor is to get: what was recorded, and the question for usage."""
    if sent.get("stream") and dialect == "openai-chat":
        return {**sent, "stream_options": {**sent.get("stream_options", {}), "include_usage": True}}
    return sent


def _check_reply(answer: Any, recorded: dict[str, Any], content_type: str) -> None:
    got = answer.json
    if answer.status == 200:
        assert got.pop("provider") == recorded.pop("provider", "up")
        assert answer.headers["Content-Type"] == content_type
    assert got == recorded


def _check_stream(answer: Any, recorded: bytes, content_type: str) -> None:
    assert answer.headers["Content-Type"] == content_type
    assert _events(answer.body) == _events(recorded)
    assert answer.body.rstrip(b"\n") == recorded.rstrip(b"\n")


def _events(body: bytes) -> list[bytes]:
    return [event for event in re.split(rb"\r?\n\r?\n", body.strip()) if event]


# ------------------------------------------------------------------------------
# The ledger
# ------------------------------------------------------------------------------


def _usage(recording: dict[str, Any]) -> dict[str, Any] | None:
    """Return the last usage that a recording reports, wherever it stands."""
    if not recording["stream"]:
        return _reported(json.loads(recording["body"]))
    found = None
    for line in re.findall(r"^data: ?(\{.*)$", recording["body"], re.MULTILINE):
        found = _reported(json.loads(line)) or found
    return found


def _reported(value: dict[str, Any]) -> dict[str, Any] | None:
    named = (value.get("response") or {}, value.get("x_groq") or {})
    for holder in (value, *named, *(value.get("choices") or ())):
        if isinstance(holder.get("usage"), dict):
            return holder["usage"]
    return None


def _check_usage(answer: Any, usage: dict[str, Any] | None, failed: bool) -> None:
    attempt = answer.attempt
    assert attempt["http_status"] == answer.status
    assert answer.row["status"] == attempt["status"] == ("error" if failed else "ok")
    if usage is None:
        assert attempt["raw_usage"] is None
        return
    inward = usage.get("prompt_tokens_details") or usage.get("input_tokens_details") or {}
    outward = usage.get("completion_tokens_details") or usage.get("output_tokens_details") or {}
    taken = usage.get("prompt_tokens", usage.get("input_tokens"))
    assert attempt["raw_usage"] == usage
    assert attempt["input_tokens"] == taken
    if "total_tokens" in usage:
        assert (attempt["output_tokens"] or 0) == usage["total_tokens"] - taken
    else:
        assert attempt["output_tokens"] == usage["output_tokens"]
    assert attempt["cache_read_tokens"] == inward.get("cached_tokens", _cached(usage))
    assert attempt["cache_write_tokens"] == inward.get("cache_write_tokens")
    assert attempt["reasoning_tokens"] == outward.get("reasoning_tokens")
    assert attempt["audio_input_tokens"] == inward.get("audio_tokens")
    assert attempt["audio_output_tokens"] == outward.get("audio_tokens")
    assert attempt["provenance"] == "reported"


def _cached(usage: dict[str, Any]) -> int | None:
    """Return the cached tokens of vendors that count them beside the details."""
    return usage.get("cached_tokens", usage.get("num_cached_tokens"))
