"""Whole replies of openai.responses: complete, with what the request said echoed in them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw
from openai.types.responses import Response

from gomodel_proxy.api import Losses, UpstreamError, Usage
from gomodel_proxy.api.chat import (
    ChatReply,
    Choice,
    Citation,
    FinishReason,
    Media,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
)
from gomodel_proxy.wire.openai_responses_codec import ResponsesCodec

CODEC = ResponsesCodec()
USAGE = Usage(input=10, output=5, cache_read=4, cache_write=1, reasoning=2)


def write(
    *parts: Part, finish: FinishReason = "stop", request: Any = None, **more: Any
) -> dict[str, Any]:
    asked = CODEC.read_request(
        json.dumps({"model": "m", "input": "Hi", **(request or {})}).encode()
    )
    reply = ChatReply("chatcmpl-1", "gpt-x", [Choice(parts=list(parts), finish=finish)], **more)
    losses = Losses()
    written = json.loads(CODEC.write_reply(reply, asked, losses=losses))
    Response.model_validate(written, strict=True)
    return {**written, "losses": losses.found}


def read(*items: Any, **more: Any) -> ChatReply:
    reply = {"id": "resp_1", "object": "response", "status": "completed", "model": "x"}
    return CODEC.read_reply(json.dumps({**reply, "output": items, **more}).encode(), traits={})


def parts_of(*items: Any) -> list[Part]:
    return read(*items).choices[0].parts


def test_the_members() -> None:
    request = {
        "instructions": "Be brief",
        "tools": [{"type": "function", "name": "f", "parameters": {}, "strict": True}],
        "tool_choice": {"type": "function", "name": "f"},
        "parallel_tool_calls": False,
        "text": {"format": {"type": "json_object"}, "verbosity": "low"},
        "reasoning": {"effort": "low", "summary": "auto"},
        "temperature": 0.5,
        "top_p": 0.25,
        "max_output_tokens": 99,
        "max_tool_calls": 3,
        "metadata": {"a": "b"},
        "user": "me",
        "truncation": "auto",
        "previous_response_id": "resp_0",
        "store": False,
        "prompt_cache_key": "k",
        "safety_identifier": "s",
        "top_logprobs": 2,
    }
    reply = write(Text("Hi"), request=request, created=7, usage=USAGE, service_tier="default")
    for name, value in request.items():
        assert reply[name] == value, name
    assert reply["id"] == "resp_chatcmpl-1"
    assert (reply["object"], reply["status"], reply["model"]) == ("response", "completed", "gpt-x")
    assert (reply["created_at"], reply["completed_at"]) == (7, 7)
    assert (reply["error"], reply["incomplete_details"]) == (None, None)
    assert reply["service_tier"] == "default"
    assert reply["usage"] == {
        "input_tokens": 10,
        "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 1},
        "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 2},
        "total_tokens": 15,
    }


def test_members_of_a_plain_request() -> None:
    reply = write(Text("Hi"))
    assert reply["instructions"] is None
    assert reply["tools"] == []
    assert reply["tool_choice"] == "auto"
    assert reply["parallel_tool_calls"] is True
    assert reply["text"] == {"format": {"type": "text"}}
    assert reply["truncation"] == "disabled"
    assert reply["metadata"] == {}
    assert reply["store"] is True
    assert reply["usage"] is None


def test_items() -> None:
    citation = Citation(url="https://a/", title="A", start=0, end=2)
    reply = write(
        Reasoning("Hm", summary=["H"], dialect="openai.chat"),
        Text("Hi", citations=[citation]),
        Text(" there"),
        Refusal("No"),
        ToolCall("c1", "f", '{"a":1}'),
        ToolCall("c2", "g", ""),
        ToolCall("c3", "sql", "SELECT 1", "custom"),
        Text("Bye"),
    )
    kinds = [(item["type"], item["id"].partition("_")[0]) for item in reply["output"]]
    assert kinds == [
        ("reasoning", "rs"),
        ("message", "msg"),
        ("function_call", "fc"),
        ("function_call", "fc"),
        ("custom_tool_call", "ctc"),
        ("message", "msg"),
    ]
    thought, message, first, second, third, last = reply["output"]
    assert thought["content"] == [{"type": "reasoning_text", "text": "Hm"}]
    assert thought["summary"] == [{"type": "summary_text", "text": "H"}]
    assert "encrypted_content" not in thought
    assert [part.get("text", part.get("refusal")) for part in message["content"]] == [
        "Hi",
        " there",
        "No",
    ]
    assert message["content"][0]["annotations"] == [
        {
            "type": "url_citation",
            "url": "https://a/",
            "title": "A",
            "start_index": 0,
            "end_index": 2,
        }
    ]
    assert (first["call_id"], first["arguments"]) == ("c1", '{"a":1}')
    assert second["arguments"] == "{}"
    assert third["input"] == "SELECT 1"
    assert last["content"][0]["text"] == "Bye"
    assert reply["losses"] == ()


@pytest.mark.parametrize(
    ("finish", "status", "reason"),
    [
        ("stop", "completed", None),
        ("tool_calls", "completed", None),
        ("length", "incomplete", "max_output_tokens"),
        ("content_filter", "incomplete", "content_filter"),
        ("refusal", "incomplete", "content_filter"),
        ("pause", "completed", None),
        ("error", "failed", None),
    ],
)
def test_how_it_ended(finish: FinishReason, status: str, reason: str | None) -> None:
    reply = write(Text("Hi"), finish=finish)
    assert reply["status"] == status
    assert (reply["incomplete_details"] or {}).get("reason") == reason
    assert (reply["error"] is not None) is (status == "failed")
    assert (reply["completed_at"] is not None) is (status == "completed")
    assert reply["output"][0]["status"] == ("incomplete" if finish == "length" else "completed")


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ("resp_abc", "resp_abc"),
        ("chatcmpl-1", "resp_chatcmpl-1"),
        ("806896f9-a0e7", "resp_806896f9-a0e7"),
        ("a/b?c", "resp_"),
        ("", "resp_"),
        ("x" * 200, "resp_"),
    ],
)
def test_ids(given: str, made: str) -> None:
    asked = CODEC.read_request(b'{"model":"m","input":"Hi"}')
    reply = ChatReply(given, "x", [Choice(parts=[Text("Hi")])])
    first = json.loads(CODEC.write_reply(reply, asked, losses=Losses()))
    second = json.loads(CODEC.write_reply(reply, asked, losses=Losses()))
    assert first["id"].startswith(made)
    assert len(first["id"]) < 100
    assert (first["id"], first["output"][0]["id"]) == (second["id"], second["output"][0]["id"])


def test_proofs_of_others_come_back_as_they_were() -> None:
    thoughts = [
        Reasoning("Hm", signature="sig+/=", dialect="anthropic.messages"),
        Reasoning(encrypted="blob", redacted=True, dialect="anthropic.messages"),
        Reasoning(summary=["S"], encrypted="gAAA", item="rs_9", dialect="openai.responses"),
    ]
    call = ToolCall("c1", "f", "{}", signature="proof")
    items = write(*thoughts, call)["output"]
    assert items[2]["encrypted_content"] == "gAAA"
    for item in items[:2]:
        item.pop("content", None)  # some clients keep the encrypted content alone
    answer = {"type": "function_call_output", "call_id": "c1", "output": "7"}
    body = {"model": "m", "input": [*items, answer]}
    request = CODEC.read_request(json.dumps(body).encode())
    found = request.messages[0].parts
    for before, after in zip(thoughts, found, strict=False):
        assert isinstance(after, Reasoning)
        assert (after.text, after.summary) == (before.text, before.summary)
        assert (after.signature, after.encrypted) == (before.signature, before.encrypted)
        assert (after.dialect, after.redacted) == (before.dialect, before.redacted)
    assert isinstance(found[3], ToolCall)
    assert found[3].signature == "proof"


@pytest.mark.parametrize("text", ["gomodel.1.%%%", "gomodel.1.bm90IGpzb24=", "gomodel.2.x"])
def test_what_only_looks_like_our_wrapping_stays(text: str) -> None:
    item = {"type": "reasoning", "summary": [], "encrypted_content": text}
    request = CODEC.read_request(json.dumps({"model": "m", "input": [item]}).encode())
    part = request.messages[0].parts[0]
    assert isinstance(part, Reasoning)
    assert (part.encrypted, part.dialect) == (text, "openai.responses")


def test_images_are_items() -> None:
    reply = write(Media("image", data="QQ==", media_type="image/webp"), Text("There"))
    item = reply["output"][0]
    assert (item["type"], item["result"], item["output_format"]) == (
        "image_generation_call",
        "QQ==",
        "webp",
    )
    image = parts_of(item)[0]
    assert isinstance(image, Media)
    assert (image.kind, image.data, image.media_type) == ("image", "QQ==", "image/webp")


def test_what_has_no_form_here_is_reported() -> None:
    choices = [
        Choice(
            parts=[
                Opaque("acme", "search", raw=Raw(b"{}"), text="Found it"),
                Media("audio", data="QQ==", text="Spoken"),
            ],
            extra={"x": Raw(b"1"), "role": Raw(b'"assistant"')},
        ),
        Choice(index=1, parts=[Text("Other")]),
    ]
    extra = {"object": Raw(b'"x"'), "system_fingerprint": Raw(b'"fp"')}
    losses = Losses()
    asked = CODEC.read_request(b'{"model":"m","input":"Hi"}')
    reply = ChatReply("1", "x", choices, extra=extra)
    written = json.loads(CODEC.write_reply(reply, asked, losses=losses))
    texts = [part["text"] for part in written["output"][0]["content"]]
    assert texts == ["Found it", "Spoken"]
    assert losses.found == (
        "choices[1]",
        "output.search",
        "output.audio",
        "system_fingerprint",
        "choices[0].x",
    )


def test_probabilities() -> None:
    score = {"token": "Hi", "logprob": -0.5, "bytes": [72, 105], "top_logprobs": []}
    logprobs = Raw(json.dumps({"content": [score], "refusal": None}).encode())
    asked = CODEC.read_request(b'{"model":"m","input":"Hi"}')
    reply = ChatReply("1", "x", [Choice(parts=[Text("Hi")], logprobs=logprobs)])
    written = json.loads(CODEC.write_reply(reply, asked, losses=Losses()))
    assert written["output"][0]["content"][0]["logprobs"] == [score]
    found = read(*written["output"]).choices[0].logprobs
    assert found is not None
    assert json.loads(bytes(found))["content"] == [score]


def test_citations_of_others() -> None:
    cited = Citation(title="A book", cited="Once upon a time", dialect="acme")
    unknown = Citation(raw=Raw(b"{}"), dialect="acme")
    reply = write(Text("Hi", citations=[cited, unknown]))
    assert reply["output"][0]["content"][0]["annotations"] == [
        {
            "type": "url_citation",
            "url": "",
            "title": "A book",
            "start_index": 0,
            "end_index": 2,
            "content": "Once upon a time",
        }
    ]
    assert reply["losses"] == ("output.annotations",)


# ---------------------------------------------------------------- reading


def test_reading_items() -> None:
    reply = read(
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hm"}]},
        {"type": "web_search_call", "id": "ws_1", "status": "completed"},
        {
            "type": "message",
            "id": "msg_1",
            "role": "assistant",
            "phase": "final_answer",
            "content": [{"type": "output_text", "text": "Hi", "annotations": []}],
        },
        {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "unheard_of", "id": "u_1"},
        usage={"input_tokens": 3, "output_tokens": 4, "total_tokens": 7},
        created_at=7.0,
        temperature=1.0,
        billing={"payer": "developer"},
    )
    thought, search, text, call, unknown = reply.choices[0].parts
    assert isinstance(thought, Reasoning)
    assert (thought.item, thought.summary, thought.dialect) == ("rs_1", ["Hm"], "openai.responses")
    assert isinstance(search, Opaque)
    assert search.text == ""
    assert isinstance(text, Text)
    assert isinstance(call, ToolCall)
    assert (call.id, call.item, call.name, call.arguments) == ("c", "fc_1", "f", "{}")
    assert isinstance(unknown, Opaque)
    assert unknown.type == "unheard_of"
    assert reply.choices[0].finish == "tool_calls"
    assert (reply.created, reply.usage and reply.usage.total) == (7, 7)
    assert set(reply.extra) == {"object", "billing"}


@pytest.mark.parametrize(
    ("more", "finish", "raw"),
    [
        ({}, "stop", "completed"),
        ({"status": "incomplete"}, "other", "incomplete"),
        (
            {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}},
            "length",
            "max_output_tokens",
        ),
        (
            {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}},
            "content_filter",
            "content_filter",
        ),
    ],
)
def test_reading_how_it_ended(more: dict[str, Any], finish: str, raw: str) -> None:
    choice = read(**more).choices[0]
    assert (choice.finish, choice.raw_finish) == (finish, raw)


def test_a_response_that_failed_is_an_error() -> None:
    error = {"code": "server_error", "message": "Out of order"}
    with pytest.raises(UpstreamError, match="Out of order") as caught:
        read(status="failed", error=error)
    assert caught.value.code == "server_error"
    with pytest.raises(UpstreamError, match="cancelled"):
        read(status="cancelled")


@pytest.mark.parametrize("body", [b"[]", b'{"output":7}', b'{"output":[{"type":"function_call"}]}'])
def test_what_is_no_reply(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        CODEC.read_reply(body, traits={})


def test_a_response_that_waits_is_no_reply() -> None:
    with pytest.raises(ValueError, match="still queued"):
        read(status="queued")
