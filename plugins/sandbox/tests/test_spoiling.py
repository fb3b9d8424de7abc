import msgspec
import pytest

MESSAGES = [{"role": "user", "content": "one two three four"}]
CHAT = "/v1/chat/completions"


def body(reply):
    return b"".join(reply.body)


def chat(ask, model, stream=False, headers=None):
    return ask.reply(CHAT, {"model": model, "messages": MESSAGES, "stream": stream}, headers)


@pytest.mark.parametrize("stream", [False, True])
def test_status(ask, stream):
    reply = chat(ask, "sandbox-echo+status=503+retry_after=2", stream)
    assert (reply.status, reply.streamed, reply.usage) == (503, False, None)
    assert dict(reply.headers)["retry-after"] == "2"
    error = msgspec.json.decode(body(reply))["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    assert error["type"] == "service_unavailable_error"


def test_times(ask):
    statuses = [chat(ask, "sandbox-echo+status=500+times=2").status for _ in range(4)]
    assert statuses == [500, 500, 200, 200]
    assert chat(ask, "sandbox-echo+times=2+status=500").status == 500
    ask.sandbox.reset()
    assert chat(ask, "sandbox-echo+status=500+times=2").status == 500


def test_echo_key(ask):
    headers = {"authorization": "Bearer sk-canary"}
    refused = chat(ask, "sandbox-echo+echo_key", headers=headers)
    assert refused.status == 401 and b"Bearer sk-canary" in body(refused)
    inside = chat(ask, "sandbox-echo+errorchunk+echo_key", True, headers)
    assert inside.status == 200 and b"Bearer sk-canary" in body(inside)


def test_html_and_empty(ask):
    page = chat(ask, "sandbox-echo+html", True)
    assert page.headers == (("content-type", "text/html"),) and body(page).startswith(b"<!DOCTYPE")
    assert body(chat(ask, "sandbox-echo+empty")) == b""
    nothing = chat(ask, "sandbox-echo+empty", True)
    assert (body(nothing), nothing.status, nothing.streamed) == (b"", 200, True)


def test_json_where_a_stream_was_asked_for(ask):
    reply = chat(ask, "sandbox-echo+json", True)
    assert not reply.streamed
    assert msgspec.json.decode(body(reply))["object"] == "chat.completion"


def test_a_malformed_chunk_amid_good_ones(ask):
    good = [e for e in ask.chat_stream("sandbox-echo") if b"one" not in e]
    events = ask.chat_stream("sandbox-echo+malformed")
    broken = []
    for event in events[:-1]:
        try:
            msgspec.json.decode(event[6:])
        except msgspec.DecodeError:
            broken.append(event)
    assert len(broken) == 1
    assert 1 < events.index(broken[0]) < len(events) - 2
    assert len(events) == len(good) + 1
    whole = body(chat(ask, "sandbox-echo+malformed"))
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(whole)


def test_an_error_ends_the_stream(ask):
    events = ask.chat_stream("sandbox-echo+errorchunk")
    assert "error" in msgspec.json.decode(events[-1][6:])
    assert any(b'"content":"Hello"' in event for event in events)
    assert b'finish_reason":"stop' not in b"".join(events)
    events = ask.stream("/v1/responses", model="sandbox-text+errorchunk", input="Hi")
    last = msgspec.json.decode(events[-1].split(b"data: ")[1])
    assert events[-1].startswith(b"event: error\n")
    assert (last["type"], last["sequence_number"]) == ("error", len(events) - 1)
    assert "error" in msgspec.json.decode(body(chat(ask, "sandbox-echo+errorchunk")))


def test_what_is_left_out(ask):
    asked = {"stream_options": {"include_usage": True}}
    full = ask.chat_stream("sandbox-echo", **asked)
    assert full[-1] == b"data: [DONE]\n\n"
    assert ask.chat_stream("sandbox-echo+nodone", **asked)[-1] == full[-2].replace(
        b'"sandbox-echo"', b'"sandbox-echo+nodone"'
    )
    unfinished = ask.chat_stream("sandbox-echo+nofinish", **asked)
    assert b'"finish_reason":"stop"' not in b"".join(unfinished)
    assert len(unfinished) == len(full) - 1
    assert b'"usage"' not in b"".join(ask.chat_stream("sandbox-echo+nousage", **asked))
    assert "usage" not in ask.chat("sandbox-echo+nousage")
    for fault in ("nodone", "nofinish"):
        events = ask.stream("/v1/responses", model=f"sandbox-echo+{fault}", input="Hi")
        assert events[-1].startswith(b"event: response.output_item.done")


def test_bad_requests(ask):
    def refused(path, members):
        reply = ask.reply(path, members)
        error = msgspec.json.decode(body(reply))["error"]
        return reply.status, error["code"], error["param"]

    assert refused(CHAT, b"{")[0] == 400
    assert refused(CHAT, b"[" * 5000)[0] == 400
    assert refused(CHAT, [])[0] == 400
    assert refused(CHAT, {"messages": []}) == (400, None, "model")
    assert refused(CHAT, {"model": "gpt-0"})[:2] == (404, "model_not_found")
    assert refused(CHAT, {"model": "sandbox-embedding"})[0] == 400
    assert refused(CHAT, {"model": "sandbox-echo", "messages": []})[2] == "messages"
    assert refused(CHAT, {"model": "sandbox-echo+what"})[0] == 400
    assert refused("/v1/responses", {"model": "sandbox-echo"})[2] == "input"
    assert refused("/v1/nothing", {})[0] == 404


def test_flags_and_headers_set_faults_and_the_name_wins(ask):
    flagged = type(ask)("status=500")
    assert chat(flagged, "sandbox-echo").status == 500
    assert chat(flagged, "sandbox-echo+status=503").status == 503
    assert chat(ask, "sandbox-echo", headers={"x-sandbox-faults": "status=502"}).status == 502
