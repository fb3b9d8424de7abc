"""Recorded traffic of many vendors: all of it passes, unchanged, and is counted right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gomodel_proxy.wire.openai import DIALECTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gomodel_proxy.api import Dialect, Usage

FOLDER = Path(__file__).parents[2].parent / "shared" / "recorded"
DIALECT = {
    "openai-chat": DIALECTS[0],
    "openai-responses": DIALECTS[1],
    "openai-embed": DIALECTS[2],
}
FILES = sorted(FOLDER.glob("*/openai-*.json"))

pytestmark = [
    pytest.mark.recorded,
    pytest.mark.skipif(not FILES, reason="no recorded traffic: ../shared/recorded is absent"),
]


class Recording:
    """One exchange, and what a plain JSON parser says about it."""

    def __init__(self, file: Path) -> None:
        told = json.loads(file.read_text())
        self.dialect: Dialect = DIALECT[told["dialect"]]
        self.body: bytes = told["body"].encode()
        self.request: dict[str, Any] | None = told["request"]
        self.ok: bool = told["status"] == 200
        self.stream: bool = told["content_type"].startswith("text/event-stream")

    def objects(self) -> Iterator[dict[str, Any]]:
        if not self.stream:
            yield json.loads(self.body)
            return
        for line in self.body.decode().split("\n"):
            if line.startswith("data: {"):
                yield json.loads(line.removeprefix("data: "))

    def usage(self) -> dict[str, Any] | None:
        found = [
            each.get("usage") or each.get("response", {}).get("usage") for each in self.objects()
        ]
        return next((usage for usage in reversed(found) if usage), None)


def recordings(*, ok: bool = True, stream: bool | None = None) -> list[Any]:
    every = ((file, Recording(file)) for file in FILES)
    return [
        pytest.param(each, id=f"{file.parent.name}/{file.stem[-40:]}")
        for file, each in every
        if each.ok is ok and stream in (None, each.stream)
    ]


def agrees(found: Usage | None, told: dict[str, Any] | None) -> None:
    if told is None:
        assert found is None
        return
    assert found is not None
    assert json.loads(found.raw) == told
    assert found.input == told.get("prompt_tokens", told.get("input_tokens"))
    assert found.total == told["total_tokens"]
    details = told.get("prompt_tokens_details") or told.get("input_tokens_details") or {}
    cached = details.get("cached_tokens", told.get("cached_tokens", told.get("num_cached_tokens")))
    assert found.cache_read == cached
    assert found.cache_write == details.get("cache_write_tokens")
    details = told.get("completion_tokens_details") or told.get("output_tokens_details") or {}
    assert found.reasoning == details.get("reasoning_tokens")


@pytest.mark.parametrize("recording", recordings(stream=False))
def test_replies(recording: Recording) -> None:
    named, usage, created = recording.dialect.reply(recording.body, "acme")
    reply = json.loads(recording.body)
    assert json.loads(named) == {"provider": "acme"} | reply
    assert named.replace(b'"provider":"acme",', b"", 1) == recording.body
    agrees(usage, recording.usage())
    kept = reply.get("store") is not False or reply.get("background")
    stored = recording.dialect.name == "openai.responses" and kept
    unmetered = reply.get("background") and reply.get("usage") is None
    kinds = ["response"] * bool(stored) + ["unmetered"] * bool(stored and unmetered)
    assert list(created) == [f"{kind}:{reply['id']}" for kind in kinds]


@pytest.mark.parametrize("recording", recordings(stream=True))
@pytest.mark.parametrize("size", [1, 7, 1_000_000])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("hide", [False, True])
@pytest.mark.parametrize("framed", [False, True])
def test_streams(recording: Recording, size: int, end: bytes, hide: bool, framed: bool) -> None:
    body = recording.body.replace(b"\n", end)
    meter = recording.dialect.meter(hide_usage=hide)
    out = b"".join(meter.feed(body[i : i + size]) for i in range(0, len(body), size))
    tail, clean = meter.close(framed=framed)
    events = body.removesuffix(end).removesuffix(end).split(end * 2)
    errors = [each["error"]["message"] for each in recording.objects() if each.get("error")]
    hidden = [event for event in events if hide and b'"choices":[]' in event]
    want = [event for event in events if event not in hidden]
    assert [event.strip() for event in (out + tail).split(end * 2) if event.strip()] == want
    assert clean is (not errors)
    assert meter.reported is bool(errors)
    assert meter.error == (errors[0] if errors else None)
    assert meter.events > 0
    agrees(meter.usage(), recording.usage())


@pytest.mark.parametrize("recording", recordings() + recordings(ok=False))
def test_requests(recording: Recording) -> None:
    if recording.request is None:
        pytest.skip("the request was not recorded")
    body = json.dumps(recording.request, separators=(",", ":")).encode()
    fields = recording.dialect.read(body, {})
    assert fields.readdress(fields.model, ask_usage=False) is body
    sent = json.loads(fields.readdress("other", ask_usage=True))
    assert sent.pop("model") == "other"
    if not fields.asked_usage and fields.stream:
        assert sent.pop("stream_options")["include_usage"] is True
    lacking = {"model"} | ({"stream_options"} if "stream_options" not in sent else set())
    assert sent == {key: value for key, value in recording.request.items() if key not in lacking}
