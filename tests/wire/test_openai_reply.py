"""Whole replies: checked, named after their provider, otherwise untouched."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gomodel_proxy.api import Dialect, UpstreamError
from gomodel_proxy.wire.openai import DIALECTS

CHAT, RESPONSES = DIALECTS[0], DIALECTS[1]
ANSWERS: dict[str, dict[str, Any]] = {
    "openai.chat": {"choices": [{"index": 0}]},
    "openai.responses": {"id": "resp_1", "output": [{"type": "message"}]},
    "openai.embeddings": {"data": [{"embedding": [0.5]}]},
    "openai.completions": {"choices": [{"text": ""}]},
    "openai.moderations": {"results": [{"flagged": False}]},
}


def id_of(dialect: Dialect) -> str:
    return dialect.name


@pytest.mark.parametrize("dialect", [d for d in DIALECTS if d.name in ANSWERS], ids=id_of)
@pytest.mark.parametrize("indent", [None, 2])
def test_a_reply_is_named_and_otherwise_untouched(dialect: Dialect, indent: int | None) -> None:
    members = ANSWERS[dialect.name] | {"usage": {"prompt_tokens": 3, "total_tokens": 3}, "x": 1.0}
    body = b"\n " + json.dumps(members, indent=indent).encode() + b"\n"
    named, usage, _ = dialect.reply(body, 'my "eu"')
    assert named.replace(b'"provider":"my \\"eu\\"",', b"") == body
    assert json.loads(named) == {"provider": 'my "eu"'} | members
    assert usage is not None
    assert usage.input == 3
    assert dialect.usage(body) == usage


@pytest.mark.parametrize("own", ['"Minimax"', "null", "{}"])
def test_a_provider_member_of_the_vendor_stays(own: str) -> None:
    body = b'{"provider":%b,"choices":[1]}' % own.encode()
    assert CHAT.reply(body, "p")[0] is body


@pytest.mark.parametrize("dialect", DIALECTS, ids=id_of)
@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "empty body"),
        (b" \n", "empty body"),
        (b"<html>\n<b>502</b></html>", "<html> <b>502</b></html>"),
        (b"[]", "not a JSON object: []"),
        (b"null", "not a JSON object: null"),
        (b'{"choices":[{"index":', "not a JSON object"),
        (b"\x1f\x8b\x08\x00\xff", "not a JSON object"),
        (b'{"ok":true}', "has no '"),
        (b"{}", "has no '"),
        (b'{"choices":[],"output":{},"data":[ ],"results":null}', "has no '"),
        (b"[" * 100_000, "not a JSON object"),
    ],
)
def test_what_is_no_reply_is_a_502(dialect: Dialect, body: bytes, said: str) -> None:
    with pytest.raises(UpstreamError) as caught:
        dialect.reply(body, "p")
    assert caught.value.status == 502
    assert said in caught.value.message
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 300
    assert dialect.usage(body) is None


@pytest.mark.parametrize("dialect", DIALECTS, ids=id_of)
@pytest.mark.parametrize(
    "members",
    [
        {"error": {"message": "over", "code": "c"}},
        {"error": "over"},
        {"id": "x", "choices": [], "error": {"message": "over"}},
        {"object": "error", "message": "over"},
    ],
)
def test_an_error_that_came_with_200_is_told(dialect: Dialect, members: dict[str, Any]) -> None:
    with pytest.raises(UpstreamError, match="over") as caught:
        dialect.reply(json.dumps(members).encode(), "p")
    assert caught.value.status == 502
    assert not caught.value.retry


@pytest.mark.parametrize(
    ("code", "status"),
    [(429, 429), ("503", 503), (400, 400), (200, 502), (1301, 502), ("4xx", 502), (None, 502)],
)
def test_an_error_that_came_with_200_may_name_its_status(code: Any, status: int) -> None:
    body = json.dumps({"error": {"message": "over", "code": code}}).encode()
    with pytest.raises(UpstreamError) as caught:
        CHAT.reply(body, "p")
    assert (caught.value.status, caught.value.body) == (status, body)


def test_an_error_beside_choices_is_the_vendor_s_business() -> None:
    body = b'{"choices":[{"index":0}],"error":{"message":"partly"}}'
    assert json.loads(CHAT.reply(body, "p")[0])["error"] == {"message": "partly"}


@pytest.mark.parametrize(
    "members",
    [
        {"id": "resp_1", "status": "queued", "output": []},
        {"id": "resp_1", "status": "failed", "output": [], "error": {"message": "x"}},
        {"id": "resp_1", "status": "queued"},
        {"output": []},
    ],
)
def test_a_response_may_have_no_output_yet(members: dict[str, Any]) -> None:
    body = json.dumps(members).encode()
    assert json.loads(RESPONSES.reply(body, "p")[0]) == {"provider": "p"} | members


@pytest.mark.parametrize(
    ("members", "created"),
    [
        ({}, ["response:resp_1"]),
        ({"store": True}, ["response:resp_1"]),
        ({"store": False}, []),
        ({"store": False, "background": True}, ["response:resp_1", "unmetered:resp_1"]),
        ({"background": True, "usage": {"input_tokens": 1}}, ["response:resp_1"]),
        ({"id": None}, []),
    ],
)
def test_what_the_vendor_keeps(members: dict[str, Any], created: list[str]) -> None:
    body = json.dumps(ANSWERS["openai.responses"] | members).encode()
    assert list(RESPONSES.reply(body, "p")[2]) == created
    chat = json.dumps(ANSWERS["openai.chat"] | {"id": "c"}).encode()
    assert list(CHAT.reply(chat, "p")[2]) == []


def test_usage_that_makes_no_sense_costs_no_reply() -> None:
    for usage in (b"null", b"7", b"[]", b'{"prompt_tokens":-1}', b'"x"'):
        _, found, _ = CHAT.reply(b'{"choices":[1],"usage":%b}' % usage, "p")
        assert found is None


def test_usage_of_a_vendor_s_own_member() -> None:
    body = b'{"choices":[1],"usage":null,"x_groq":{"usage":{"prompt_tokens":4}}}'
    found = CHAT.reply(body, "p")[1]
    assert found is not None
    assert found.input == 4


@pytest.mark.parametrize(
    ("choices", "taken"),
    [
        ('[{"usage":{"prompt_tokens":4}}]', 4),
        ('[{"usage":{"prompt_tokens":4}},{"usage":null},{}]', 4),
        ('[{"usage":[]}]', None),
        ("[1]", None),
    ],
)
def test_usage_of_a_choice(choices: str, taken: int | None) -> None:
    found = CHAT.reply(f'{{"choices":{choices}}}'.encode(), "p")[1]
    assert (None if found is None else found.input) == taken


def test_a_client_s_decoder_decides_about_numbers_that_are_none() -> None:
    body = b'{"choices":[{"logprobs":NaN}],"usage":{"prompt_tokens":4},"s":"\\ud83d"}'
    named, usage, _ = CHAT.reply(body, "p")
    assert named == b'{"provider":"p",' + body[1:]
    assert usage is not None
