"""What real vendors send that no specification has: it must pass unharmed, and be metered."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")

ASKED = {"model": "up/m", "messages": [{"role": "user", "content": "Hi"}]}
STREAMED = {**ASKED, "stream": True}
METERED = {**STREAMED, "stream_options": {"include_usage": True}}
USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
CHOICE = {"index": 0, "message": {"role": "assistant", "content": "Hé"}, "finish_reason": "stop"}
REPLY = {"id": "x", "object": "chat.completion", "choices": [CHOICE], "usage": USAGE}


def chunk(content: Any = None, finish: Any = None, **members: Any) -> str:
    delta = {} if content is None else {"content": content}
    choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
    return json.dumps({"id": "x", "object": "chat.completion.chunk", "choices": choices, **members})


A, B, END = chunk("Hé"), chunk("llo"), chunk(finish="stop")
COUNTED = json.dumps({"id": "x", "choices": [], "usage": USAGE})
WHOLE = [A, B, END, COUNTED, "[DONE]"]


def events(*datas: str, form: str = "data: {}\n\n") -> bytes:
    return "".join(form.format(data) for data in datas).encode()


# ------------------------------------------------------------------------------
# Whole replies
# ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        "Application/JSON",
        "text/plain; charset=utf-8",
        "application/octet-stream",
        None,
    ],
)
@pytest.mark.parametrize("framing", ["chunked", "length", "close"])
async def test_a_reply_of_any_content_type(setup, reply, content_type, framing):
    canned = reply(json.dumps(REPLY).encode(), content_type, framing=framing)
    answer = await setup.post("/v1/chat/completions", ASKED, canned, f"{content_type}")
    assert answer.status == 200
    assert answer.json == {"provider": "up", **_exactly(REPLY)}
    kept = content_type is not None and "json" in content_type.lower()
    assert answer.headers["Content-Type"] == (content_type if kept else "application/json")
    assert _metered(answer) == (7, 3, "reported")


def _exactly(value: Any) -> Any:
    return json.loads(json.dumps(value), parse_int=str, parse_float=str)


def _metered(answer: Any) -> tuple[int | None, int | None, str]:
    attempt = answer.attempt
    return attempt["input_tokens"], attempt["output_tokens"], attempt["provenance"]


BODIES = {
    "bom": b"\xef\xbb\xbf" + json.dumps(REPLY).encode(),
    "keep-alive lines before": b"\n\n\r\n   \n" + json.dumps(REPLY).encode(),
    "a line end behind": json.dumps(REPLY).encode() + b"\r\n\r\n",
    "pretty": json.dumps(REPLY, indent=2, ensure_ascii=False).encode(),
    "not a number": json.dumps({**REPLY, "logprob": float("nan"), "x": float("inf")}).encode(),
    "lone surrogate": json.dumps({**REPLY, "text": "\ud83d"}).encode(),
    "huge numbers": json.dumps({**REPLY, "seed": 2**80, "x": [1e400, -0.0]}).encode(),
    "empty name": json.dumps({"": 1, **REPLY}).encode(),
    "own provider": json.dumps({"provider": "Groq", **REPLY}).encode(),
    "own provider object": json.dumps({"provider": {"name": "z"}, **REPLY}).encode(),
    "no provider at all": json.dumps({"provider": None, **REPLY}).encode(),
    "an error beside": json.dumps({**REPLY, "error": None}).encode(),
    "a warning beside": json.dumps({**REPLY, "error": {"message": "truncated"}}).encode(),
    "error in a choice": json.dumps({**REPLY, "choices": [{"error": {"code": 502}}]}).encode(),
    "usage before": json.dumps(dict(reversed(REPLY.items()))).encode(),
    "float usage": json.dumps(REPLY).encode().replace(b": 7", b": 7.0").replace(b": 3", b": 3.0"),
    "unknown counts": json.dumps(
        {**REPLY, "usage": {**USAGE, "queue_time": 0.1, "prompt_tokens_details": None, "x": "y"}}
    ).encode(),
}


@pytest.mark.parametrize("body", [pytest.param(body, id=name) for name, body in BODIES.items()])
async def test_a_reply_of_any_form(setup, exact, reply, body):
    answer = await setup.post("/v1/chat/completions", ASKED, reply(body), repr(body[:9]))
    assert answer.status == 200
    text = body.decode("utf-8-sig")
    assert exact(answer.body.decode("utf-8-sig")) == {"provider": "up", **exact(text)}
    assert _metered(answer) == (7, 3, "reported")


@pytest.mark.parametrize(
    ("usage", "counted"),
    [
        (None, (None, None, None)),
        ({}, (None, None, None)),
        ([], (None, None, None)),
        ("none", (None, None, None)),
        ({"prompt_tokens": "7"}, (None, None, None)),
        ({"prompt_tokens": -1, "completion_tokens": 3}, (None, 3, "reported")),
        ({"prompt_tokens": 7, "total_tokens": 7}, (7, None, "reported")),
        ({"prompt_tokens": 7, "completion_tokens": None}, (7, None, "reported")),
        ({"input_tokens": 7, "output_tokens": 3}, (7, 3, "reported")),
        ({**USAGE, "prompt_tokens_details": [1]}, (7, 3, "reported")),
        ({**USAGE, "completion_tokens_details": {"reasoning_tokens": "x"}}, (7, 3, "reported")),
    ],
)
async def test_usage_of_any_form(setup, exact, reply, usage, counted):
    body = json.dumps({**REPLY, "usage": usage}).encode()
    answer = await setup.post("/v1/chat/completions", ASKED, reply(body), repr(usage))
    assert answer.json == {"provider": "up", **exact(body)}
    assert answer.row["status"] == "ok"
    assert _metered(answer) == counted


@pytest.mark.parametrize("members", [{}, {"choices": []}, {"choices": None}])
async def test_a_reply_that_is_refused_is_metered(setup, reply, members):
    body = json.dumps({"id": "x", **members, "usage": USAGE}).encode()
    answer = await setup.post("/v1/chat/completions", ASKED, reply(body), "")
    assert (answer.status, answer.row["status"]) == (502, "error")
    assert _metered(answer) == (7, 3, "reported")


OTHERS = {
    "/v1/embeddings": (
        {"input": ["a"], "encoding_format": "base64", "input_type": "query", "x": {"y": None}},
        {"data": [{"embedding": "AACAPw==", "index": 0, "x": 1}], "usage": {"prompt_tokens": 7}},
        (7, None, "reported"),
    ),
    "/v1/completions": (
        {"prompt": ["a", [1, 2]], "suffix": None, "repetition_penalty": 1.1},
        {"choices": [{"text": "b", "stop_reason": 7, "prompt_logprobs": None}], "usage": USAGE},
        (7, 3, "reported"),
    ),
    "/v1/moderations": (
        {"input": [{"type": "image_url", "image_url": {"url": "data:,"}}], "x": [{}]},
        {"results": [{"flagged": False, "category_scores": {"pii": 1e-9}}], "x": 0.1},
        (None, None, None),
    ),
    "/v1/responses": (
        {"input": [{"type": "reasoning", "id": "rs_1", "summary": []}], "x": {"file_id_x": 1}},
        {"output": [{"type": "odd", "x": 1}], "usage": {"input_tokens": 7, "output_tokens": 3}},
        (7, 3, "reported"),
    ),
}


@pytest.mark.parametrize("path", OTHERS)
async def test_other_operations_keep_what_nobody_knows(setup, exact, reply, path):
    members, answered, counted = OTHERS[path]
    canned = reply(json.dumps(answered).encode())
    answer = await setup.post(path, {"model": "up/m", **members}, canned, path)
    assert setup.vendor.path == path
    assert exact(setup.vendor.body) == _exactly({"model": "m", **members})
    assert answer.json == {"provider": "up", **_exactly(answered)}
    assert _metered(answer) == counted


# ------------------------------------------------------------------------------
# Errors
# ------------------------------------------------------------------------------

OBJECT = {"message": "Too long", "type": "invalid", "code": 400, "status": "INVALID", "x": [1]}
ERRORS: dict[str, Any] = {
    "numeric code": {"error": OBJECT},
    "members beside": {"error": OBJECT, "user_id": "u", "request_id": 7},
    "nulls": {"error": {"message": "Too long", "type": None, "param": None, "code": None}},
    "message is an object": {"error": {"message": {"detail": ["Too long"]}}},
    "metadata": {"error": {"message": "Too long", "metadata": {"raw": '{"a":1}', "headers": {}}}},
}


@pytest.mark.parametrize("status", [400, 404, 422, 429, 498, 500, 503, 529])
@pytest.mark.parametrize("error", [pytest.param(e, id=name) for name, e in ERRORS.items()])
@pytest.mark.parametrize("asked", [ASKED, STREAMED], ids=["whole", "streamed"])
async def test_an_error_keeps_all_its_members(setup, reply, asked, error, status):
    canned = reply(
        json.dumps(error).encode(),
        "application/json; charset=utf-8",
        status,
        headers=(
            ("X-Request-Id", "vendor-7"),
            ("retry-after-ms", "9"),
            ("x-ratelimit-remaining", "0"),
        ),
    )
    answer = await setup.post("/v1/chat/completions", asked, canned, f"{status}")
    assert answer.status == status
    assert answer.json == _exactly(error)
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.headers["retry-after-ms"] == "9"
    assert answer.headers["x-ratelimit-remaining"] == "0"
    assert answer.headers["X-GoModel-Upstream-Request-ID"] == "vendor-7"
    assert answer.headers["X-GoModel-Provider"] == "up"
    assert answer.row["http_status"] == answer.attempt["http_status"] == status


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'[{"error":{"code":400,"message":"Too long","status":"INVALID"}}]', "Too long"),
        (b'{"error":"Too long"}', "Too long"),
        (b'{"code":"invalid-argument","error":"Too long"}', "Too long"),
        (b'{"object":"error","message":"Too long","code":40303}', "Too long"),
        (b'{"message":"Too long","request_id":"r"}', "Too long"),
        (b'{"detail":"Too long"}', "Too long"),
        (b'{"detail":[{"loc":["body","n"],"msg":"Too long","type":"v"}]}', "Too long"),
        (b'{"detail":{"error":{"message":"Too long"}}}', "Too long"),
        (b'{"errors":[{"code":7000,"message":"Too long"}],"success":false}', "Too long"),
        (b'{"fault":{"faultstring":"Too long","detail":{}}}', "Too long"),
        (b'{"status":400,"title":"Too long"}', "Too long"),
        (b'{"success":false,"msg":"Too long","data":null}', "Too long"),
        (b'"Too long"', "Too long"),
        (b"Too long", "Too long"),
        (b"<html><head><title>x</title></head><body><h1>Too long</h1>", "Too long"),
        (b"", "400"),
        (b"{}", "400"),
    ],
)
async def test_an_error_of_any_form(setup, exact, reply, body, message):
    answer = await setup.post("/v1/chat/completions", ASKED, reply(body, None, 400), "")
    assert answer.status == 400
    told = answer.json
    assert message in told["error"]["message"]
    assert "{" not in told["error"]["message"]
    try:
        sent = exact(body)
    except ValueError:
        return
    if isinstance(sent, list):
        assert told == sent[0]
    elif isinstance(sent, dict):
        assert {**sent, "error": told["error"]} == told


@pytest.mark.parametrize("asked", [ASKED, STREAMED], ids=["whole", "streamed"])
@pytest.mark.parametrize("status", [204, 301, 307, 304])
async def test_a_status_without_an_answer(setup, reply, asked, status):
    canned = reply(b"", None, status, framing="length", headers=(("Location", "/v2"),))
    answer = await setup.post("/v1/chat/completions", asked, canned, "")
    assert answer.status == 502
    assert answer.row["status"] == "error"
    assert answer.attempt["http_status"] == status


@pytest.mark.parametrize("asked", [ASKED, STREAMED], ids=["whole", "streamed"])
@pytest.mark.parametrize("code", [429, "429", 400, "context_length", None])
async def test_an_error_under_a_status_of_200(setup, reply, asked, code):
    error = {"error": {"message": "Too long", "code": code, "metadata": {"x": 1}}, "user_id": "u"}
    answer = await setup.post("/v1/chat/completions", asked, reply(json.dumps(error).encode()), "")
    assert answer.json == _exactly(error)
    assert answer.status == (int(code) if code in (429, "429", 400) else 502)
    assert answer.row["status"] == "error"
    assert answer.attempt["http_status"] == 200


# ------------------------------------------------------------------------------
# Streams
# ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content_type",
    [
        "text/event-stream",
        "text/event-stream; charset=utf-8",
        "text/event-stream;charset=UTF-8",
        "Text/Event-Stream",
        "text/plain; charset=utf-8",
        "application/octet-stream",
        None,
    ],
)
@pytest.mark.parametrize("framing", ["chunked", "length", "close"])
async def test_a_stream_of_any_content_type(setup, reply, content_type, framing):
    canned = reply(events(*WHOLE), content_type, framing=framing)
    answer = await setup.post("/v1/chat/completions", METERED, canned, f"{content_type}")
    assert answer.body == canned.body
    assert answer.headers["Content-Type"].lower().startswith("text/event-stream")
    assert _metered(answer) == (7, 3, "reported")
    assert answer.row["status"] == "ok"


AZURE = json.dumps(
    {"choices": [], "id": "", "model": "", "prompt_filter_results": [{"prompt_index": 0}]}
)
FILTERED = json.dumps({"choices": [{"index": 0, "content_filter_offsets": {"start_offset": 0}}]})
STREAMS = {
    "no space": events(*WHOLE, form="data:{}\n\n"),
    "two spaces": events(*WHOLE[:-1], form="data:  {}\n\n") + events("[DONE]"),
    "crlf": events(*WHOLE, form="data: {}\r\n\r\n"),
    "crlf without space": events(*WHOLE, form="data:{}\r\n\r\n"),
    "cr": events(*WHOLE, form="data: {}\r\r"),
    "mixed line ends": events(A, form="data: {}\r\n\n") + events(*WHOLE[1:]),
    "many blank lines": b"\n\n\n" + events(*WHOLE, form="\n\ndata: {}\n\n"),
    "bom": b"\xef\xbb\xbf" + events(*WHOLE),
    "comments": b": OPENROUTER PROCESSING\n\n:\n\n" + events(*WHOLE, form=": ping\n\ndata: {}\n\n"),
    "comment in an event": events(*WHOLE, form=": ping\ndata: {}\n: pong\n\n"),
    "comments behind": events(*WHOLE) + b": bye\n\n",
    "ids": b"retry: 3000\n\n" + events(*WHOLE, form="id: 7\ndata: {}\n\n"),
    "names": events(*WHOLE, form="event: message\ndata: {}\n\n"),
    "names behind": events(*WHOLE, form="data: {}\nevent: chunk\n\n"),
    "pings": b'event: ping\ndata: {"type": "ping"}\n\n' + events('{"type":"ping"}', *WHOLE),
    "pings without data": b"event: ping\n\nevent: ping\ndata:\n\ndata: \n\n" + events(*WHOLE),
    "data over lines": events(*(e.replace(', "', ',\ndata: "') for e in WHOLE)),
    "trailing blanks": events(*WHOLE, form="data: {}  \t\n\n"),
    "done twice": events(*WHOLE, "[DONE]"),
    "azure": events(AZURE, *WHOLE),
    "azure filters": events(AZURE, A, FILTERED, *WHOLE[1:]),
    "choices null": events(json.dumps({"id": "x", "choices": None}), *WHOLE),
    "choices absent": events(json.dumps({"id": "x", "citations": ["u"]}), *WHOLE),
    "delta null": events(chunk("x").replace('{"content": "x"}', "null"), *WHOLE),
    "finish empty": events(chunk("x", ""), *WHOLE),
    "index absent": events(*(e.replace('"index": 0, ', "") for e in WHOLE)),
    "index text": events(*(e.replace('"index": 0', '"index": "0"') for e in WHOLE)),
    "counts in each": events(chunk("x", usage={**USAGE, "completion_tokens": 1}), *WHOLE),
    "null usage in each": events(chunk("x", usage=None), *WHOLE),
    "counts with the finish": events(A, B, chunk(finish="stop", usage=USAGE), "[DONE]"),
    "counts in x_groq": events(A, chunk(finish="stop", x_groq={"usage": USAGE}), "[DONE]"),
    "counts in a choice": events(
        A, END.replace("}]", f', "usage": {json.dumps(USAGE)}}}]'), "[DONE]"
    ),
    "counts with no choices": events(A, END, json.dumps({"usage": USAGE}), "[DONE]"),
    "counts with null choices": events(
        A, END, json.dumps({"choices": None, "usage": USAGE}), "[DONE]"
    ),
    "counts before": events(COUNTED, A, END, "[DONE]"),
    "counts with a float": events(A, END, COUNTED.replace(": 7", ": 7.0"), "[DONE]"),
    "not a number": events(chunk("x", logprob=float("nan")), *WHOLE),
    "lone surrogate": events(chunk("\ud83d"), chunk("\ude00"), *WHOLE),
    "error null": events(chunk("x", error=None), *WHOLE),
    "raw text": events(
        *(json.dumps(json.loads(e), ensure_ascii=False) for e in WHOLE[:-1]), "[DONE]"
    ),
    "odd separators": events(chunk("a\u2028b\x85c\x0bd\x1ee"), *WHOLE),
    "raw separators": events(chunk("S"), *WHOLE).replace(b'"S"', '"a\u2028b\x85c"'.encode()),
}


@pytest.mark.parametrize("framing", ["chunked", "length", "close"])
@pytest.mark.parametrize("body", [pytest.param(body, id=name) for name, body in STREAMS.items()])
async def test_a_stream_of_any_form(setup, reply, body, framing):
    canned = reply(body, "text/event-stream", framing=framing)
    answer = await setup.post("/v1/chat/completions", METERED, canned, repr(body[:40]))
    assert answer.body == body
    assert answer.row["status"] == answer.attempt["status"] == "ok"
    assert _metered(answer) == (7, 3, "reported")


LINE = b"data: " + COUNTED.encode() + b"\n\n"
UNASKED = ["counts with no choices", "counts with null choices", "counts before", "azure", "pings"]


@pytest.mark.parametrize("name", UNASKED)
async def test_only_the_usage_that_nobody_asked_for_is_hidden(setup, reply, name):
    body = STREAMS[name]
    canned = reply(body, "text/event-stream")
    answer = await setup.post("/v1/chat/completions", STREAMED, canned, name)
    kept = [line for line in body.split(b"\n\n") if b'"usage"' not in line]
    assert answer.body == b"\n\n".join(kept)
    assert _metered(answer) == (7, 3, "reported")


BESIDE = ["counts in each", "counts with the finish", "counts in x_groq", "counts in a choice"]


@pytest.mark.parametrize("name", BESIDE)
async def test_usage_beside_choices_is_never_hidden(setup, reply, name):
    body = STREAMS[name].replace(LINE, b"")
    canned = reply(body, "text/event-stream")
    answer = await setup.post("/v1/chat/completions", STREAMED, canned, name)
    assert answer.body == body


ENDINGS = {
    "one line end": (events(A, END, COUNTED) + b"data: [DONE]\n", "\n"),
    "no line end": (events(A, END, COUNTED) + b"data: [DONE]", "\n\n"),
    "no line end after counts": (events(A, END, COUNTED)[:-2], "\n\ndata: [DONE]\n\n"),
    "no done": (events(A, END, COUNTED), "data: [DONE]\n\n"),
    "no done, crlf": (events(A, END, COUNTED, form="data: {}\r\n\r\n"), "data: [DONE]\n\n"),
    "nothing after the finish": (events(A, END), "data: [DONE]\n\n"),
}


@pytest.mark.parametrize("framing", ["chunked", "length", "close"])
@pytest.mark.parametrize("name", ENDINGS)
async def test_a_careless_ending_is_made_good(setup, reply, name, framing):
    body, added = ENDINGS[name]
    canned = reply(body, "text/event-stream", framing=framing)
    answer = await setup.post("/v1/chat/completions", METERED, canned, name)
    assert answer.body == body + added.encode()
    assert answer.row["status"] == "ok"
    if COUNTED.encode() in body:
        assert _metered(answer) == (7, 3, "reported")
    else:
        assert answer.attempt["provenance"] == "partial"


FAILURES = {
    "an error object": '{"error":{"message":"Overloaded","code":529,"x":1}}',
    "an error text": '{"error":"Overloaded"}',
    "an error beside choices": chunk(finish="error", error={"message": "Overloaded", "code": 502}),
    "an error as the whole": '{"object":"error","message":"Overloaded","code":500}',
}


@pytest.mark.parametrize("form", ["data: {}\n\n", "event: error\ndata: {}\n\n", "data:{}\r\n\r\n"])
@pytest.mark.parametrize("name", FAILURES)
@pytest.mark.parametrize("rest", [[], ["[DONE]"]], ids=["last", "done"])
async def test_an_error_in_a_stream_passes_and_is_noted(setup, reply, name, form, rest):
    body = events(A, FAILURES[name], *rest, form=form)
    canned = reply(body, "text/event-stream")
    answer = await setup.post("/v1/chat/completions", STREAMED, canned, name)
    assert answer.body == body
    assert answer.row["status"] == answer.attempt["status"] == "error"


async def test_a_whole_reply_to_a_streamed_request_is_refused_and_metered(setup, reply):
    canned = reply(json.dumps(REPLY).encode())
    answer = await setup.post("/v1/chat/completions", STREAMED, canned, "")
    assert answer.status == 502
    assert answer.json["error"]["code"] == "not_a_stream"
    assert _metered(answer) == (7, 3, "reported")


# ------------------------------------------------------------------------------
# Responses
# ------------------------------------------------------------------------------

RESPONSE = {"id": "resp_1", "object": "response", "status": "completed", "output": []}
DONE_RESPONSE = {**RESPONSE, "usage": {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10}}


def event(kind: str, **members: Any) -> tuple[str, str]:
    return kind, json.dumps({"type": kind, **members})


RESPONSE_EVENTS = [
    event("response.created", response={**RESPONSE, "status": "in_progress", "usage": None}),
    event("response.output_text.delta", delta="Hé", sequence_number=1),
    event("response.completed", response=DONE_RESPONSE),
]


@pytest.mark.parametrize("form", ["event: {}\ndata: {}\n\n", "event:{}\r\ndata:{}\r\n\r\n", None])
@pytest.mark.parametrize("ending", [b"", b"data: [DONE]\n\n", b": bye\n\n", b"data: [DONE]"])
async def test_response_events_of_any_form(setup, reply, form, ending):
    body = "".join(
        form.format(kind, data) if form else f"data: {data}\n\n" for kind, data in RESPONSE_EVENTS
    ).encode()
    canned = reply(body + ending, "text/event-stream; charset=utf-8")
    asked = {"model": "up/m", "input": "Hi", "stream": True}
    answer = await setup.post("/v1/responses", asked, canned, f"{form}")
    assert answer.body.rstrip(b"\n") == canned.body.rstrip(b"\n")
    assert answer.row["status"] == "ok"
    assert _metered(answer) == (7, 3, "reported")


@pytest.mark.parametrize(
    "members",
    [
        {"previous_response_id": "resp_made_elsewhere"},
        {"conversation": "conv_made_elsewhere"},
        {"conversation": {"id": "conv_made_elsewhere"}},
        {"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "file-1"}]}]},
        {"tools": [{"type": "code_interpreter", "container": {"file_ids": ["file-1"]}}]},
        {"input": None, "prompt": {"id": "pmpt_1", "variables": {"a": {"file_id": "file-1"}}}},
    ],
)
async def test_an_open_gateway_lets_foreign_ids_pass(setup, exact, reply, members):
    asked = {"model": "up/m", "input": "Hi", **members}
    canned = reply(json.dumps(DONE_RESPONSE).encode())
    answer = await setup.post("/v1/responses", asked, canned, "")
    assert answer.status == 200
    assert exact(setup.vendor.body) == _exactly({**asked, "model": "m"})
    assert answer.json == {"provider": "up", **_exactly(DONE_RESPONSE)}


# ------------------------------------------------------------------------------
# Requests
# ------------------------------------------------------------------------------


async def test_members_nobody_knows_reach_the_vendor(setup, exact, reply):
    odd = {
        "provider": {"order": ["a/b"], "provider": "x"},
        "seed": 2**70,
        "temperature": 1e-7,
        "": {"": None},
        "messages": [
            {"role": "user", "content": [{"type": "x", "é\u2028": "\U0001f600"}], "x": {}}
        ],
        "extra_body": {"model": "other", "stream_options": {"a": [[[[]]]]}},
        "stream": False,
    }
    canned = reply(json.dumps(REPLY).encode())
    answer = await setup.post("/v1/chat/completions", {**ASKED, **odd}, canned, "")
    assert answer.status == 200
    assert exact(setup.vendor.body) == _exactly({**ASKED, **odd, "model": "m"})


async def test_other_stream_options_stay(setup, exact, reply):
    options = {"include_usage": False, "chunk_include_usage": True, "x": {"y": 1.50}}
    canned = reply(events(*WHOLE), "text/event-stream")
    asked = {**STREAMED, "stream_options": options}
    answer = await setup.post("/v1/chat/completions", asked, canned, "")
    assert answer.body == canned.body.replace(LINE, b"")
    told = exact(setup.vendor.body)["stream_options"]
    assert told == {"include_usage": True, "chunk_include_usage": True, "x": {"y": "1.5"}}


async def test_a_slash_belongs_to_the_model(setup, exact, reply):
    canned = reply(json.dumps(REPLY).encode())
    asked = {**ASKED, "model": "up/meta-llama/Llama-3.3:free"}
    await setup.post("/v1/chat/completions", asked, canned, "")
    assert exact(setup.vendor.body)["model"] == "meta-llama/Llama-3.3:free"
    assert re.fullmatch("req_.*|test-.*", setup.vendor.headers["x-request-id"])
