"""The dialect's own routes: addressing, refusals, the error's shape, who may name what."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from gomodel_proxy.api import (
    Forbidden,
    GatewayError,
    InvalidRequest,
    RateLimited,
    UpstreamError,
    UpstreamTimeout,
)
from gomodel_proxy_gemini.carriage import load, unload
from gomodel_proxy_gemini.generate import GeminiGenerate

from .conftest import MASTER

if TYPE_CHECKING:
    from gomodel_proxy.testing.played import Played

PATH = {"model": "google/gemini-2.5-pro", "method": "generateContent"}
HI = {"contents": [{"parts": [{"text": "Hi"}]}]}
REPLY = {"candidates": [{"content": {"parts": [{"text": "a"}]}, "finishReason": "STOP"}]}
DIALECT = GeminiGenerate()


def read(body: Any, **path: str) -> Any:
    return DIALECT.read(json.dumps(body).encode(), {**PATH, **path})


def test_the_path_names_the_model_and_the_method() -> None:
    fields = read(HI)
    assert (fields.model, fields.stream, fields.provider) == (PATH["model"], False, None)
    fields = read(HI, model="models/x", method="streamGenerateContent", alt="sse")
    assert (fields.model, fields.stream) == ("x", True)


def test_a_body_travels_with_both_and_arrives_without() -> None:
    body = b' {"contents": [{"parts": [{"text": "\\u00e9"}]}] }'
    fields = DIALECT.read(body, {**PATH, "method": "streamGenerateContent", "alt": "sse"})
    carried = fields.readdress("x/y", ask_usage=False)
    assert json.loads(carried) == {"model": "x/y", "stream": True, **json.loads(body)}
    assert unload(carried, "x/y") == body.strip()
    assert DIALECT.codec.read_request(carried).stream is True
    again = DIALECT.read(carried, {})
    assert (again.model, again.stream) == ("x/y", True)
    assert json.loads(unload(again.readdress("z", ask_usage=False), "z")) == json.loads(body)


def test_what_was_changed_on_the_way_is_unloaded_too() -> None:
    assert unload(b'{"contents":[],"stream":true,"model":"m"}', "m") == b'{"contents":[]}'
    assert unload(b'{"contents":[]}', "m") == b'{"contents":[]}'
    assert load(b"{}", "m", False) == b'{"model":"m","stream":false}'
    assert unload(b'{"model":"m","stream":false}', "m") == b"{}"


def test_a_hint_is_taken_out() -> None:
    fields = read({**HI, "provider": "google"})
    assert fields.provider == "google"
    assert json.loads(unload(fields.readdress("m", ask_usage=False), "m")) == HI


@pytest.mark.parametrize(
    ("body", "path", "param"),
    [
        ({}, {}, "contents"),
        ({"contents": []}, {}, "contents"),
        ({"contents": "Hi"}, {}, "contents"),
        ({**HI, "stream": True}, {}, "stream"),
        ({**HI, "model": "other"}, {}, "model"),
        (HI, {"method": "streamGenerateContent"}, "alt"),
        (HI, {"method": "streamGenerateContent", "alt": "json"}, "alt"),
    ],
)
def test_refusals_name_the_member(body: Any, path: dict[str, str], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read(body, **path)
    assert caught.value.param == param


def test_the_model_may_be_said_twice() -> None:
    fields = read({**HI, "model": f"models/{PATH['model']}"})
    assert json.loads(unload(fields.readdress("m", ask_usage=False), "m")) == HI


def test_what_the_vendor_keeps_is_named() -> None:
    own = "https://generativelanguage.googleapis.com/v1beta/files/abc"
    part = {"file_data": {"file_uri": own}}
    other = {"fileData": {"fileUri": "https://a.example/files/def"}}
    fields = read({"contents": [{"parts": [part, other]}], "cachedContent": "cachedContents/x"})
    assert fields.references == (("cached_content", "cachedContents/x"), ("file", "files/abc"))
    assert read(HI).references == ()


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        (InvalidRequest("m"), 400, "INVALID_ARGUMENT"),
        (InvalidRequest("m", status=413), 413, "INVALID_ARGUMENT"),
        (Forbidden("m"), 403, "PERMISSION_DENIED"),
        (RateLimited("m"), 429, "RESOURCE_EXHAUSTED"),
        (UpstreamError("m"), 502, "UNAVAILABLE"),
        (UpstreamTimeout("m"), 504, "DEADLINE_EXCEEDED"),
        (GatewayError("m"), 500, "INTERNAL"),
    ],
)
def test_errors(error: GatewayError, code: int, status: str) -> None:
    told = json.loads(DIALECT.error(error))["error"]
    assert (told["code"], told["message"], told["status"]) == (code, "m", status)
    assert told["details"][0]["reason"] == error.kind
    assert DIALECT.stream_error(error) == b"data: %b\n\n" % DIALECT.error(error)


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"candidates":[]}', b'{"usageMetadata":{}}', b"<html>"],
)
def test_what_is_no_reply_is_no_answer(body: bytes) -> None:
    with pytest.raises(UpstreamError):
        DIALECT.reply(body, "google")


def test_an_error_in_place_of_a_reply_is_told() -> None:
    with pytest.raises(UpstreamError, match="overloaded"):
        DIALECT.reply(b'{"error":{"code":503,"message":"overloaded"}}', "google")


def test_a_reply_of_a_blocked_prompt_is_one() -> None:
    body = b'{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":3}}'
    got, usage, created = DIALECT.reply(body, "google")
    assert json.loads(got) == {**json.loads(body), "provider": "google"}
    assert usage is not None
    assert (usage.input, created) == (3, ())


async def call(setup: Played, path: str, body: Any, key: str = MASTER) -> tuple[int, Any]:
    async with (
        aiohttp.ClientSession() as client,
        client.post(setup.url + path, json=body, headers={"x-goog-api-key": key}) as reply,
    ):
        return reply.status, await reply.json()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("version", ["v1", "v1beta", "v1alpha"])
async def test_the_routes(setup: Played, version: str) -> None:
    setup.answer(json.dumps(REPLY))
    status, got = await call(setup, f"/{version}/models/gemini-2.5-pro:generateContent", HI)
    assert (status, got) == (200, {**REPLY, "provider": "google"})
    assert setup.target == "/v1beta/models/gemini-2.5-pro:generateContent"
    assert setup.sent == HI


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("path", "body", "key", "code", "status"),
    [
        ("gemini-2.5-pro:generateContent", {}, MASTER, 400, "INVALID_ARGUMENT"),
        ("gemini-2.5-pro:streamGenerateContent", HI, MASTER, 400, "INVALID_ARGUMENT"),
        ("gemini-2.5-pro:generateContent", HI, "wrong", 401, "UNAUTHENTICATED"),
        ("google/unheard-of:generateContent", HI, MASTER, 404, "NOT_FOUND"),
    ],
)
async def test_refusals_are_the_dialects(
    setup: Played, path: str, body: Any, key: str, code: int, status: str
) -> None:
    got, told = await call(setup, f"/v1beta/models/{path}", body, key)
    assert (got, told["error"]["code"], told["error"]["status"]) == (code, code, status)


@pytest.mark.asyncio(loop_scope="module")
async def test_strict_mode_refuses_what_would_be_lost(setup: Played) -> None:
    headers = {"x-goog-api-key": MASTER, "X-GoModel-Strict": "1"}
    body = {**HI, "safetySettings": []}
    url = f"{setup.url}/v1beta/models/other/gpt-x:generateContent"
    async with (
        aiohttp.ClientSession() as client,
        client.post(url, json=body, headers=headers) as reply,
    ):
        assert reply.status == 400
        assert "safetySettings" in (await reply.json())["error"]["message"]
