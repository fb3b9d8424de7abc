"""Requests of OpenAI callers, as Cohere gets them."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from gomodel_proxy.api import InvalidRequest, Losses
from gomodel_proxy.api.chat import ChatRequest, Citation, Media, Message, Reasoning, Text, ToolCall
from gomodel_proxy.wire.openai_chat_codec import ChatCodec as OpenAICodec
from gomodel_proxy_cohere.codec import ChatCodec

from .request_type import decode_request

HI = {"role": "user", "content": "Hi"}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBO", "detail": "low"}}


def tool(name: str, **more: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": SCHEMA, **more}}


def write(
    *messages: Any, traits: dict[str, Any] | None = None, **members: Any
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the body for Cohere and the losses."""
    asked = {"model": "m", "messages": list(messages or (HI,)), **members}
    request = OpenAICodec().read_request(json.dumps(asked).encode())
    return write_neutral(request, traits)


def write_neutral(
    request: ChatRequest, traits: dict[str, Any] | None = None
) -> tuple[dict[str, Any], tuple[str, ...]]:
    losses = Losses()
    body = ChatCodec().write_request(request, traits=traits or {}, losses=losses)
    decode_request(body)
    return json.loads(body), losses.found


def refused(*messages: Any, **members: Any) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as raised:
        write(*messages, **members)
    return raised.value


# ---------------------------------------------------------------- messages


def test_plain_messages_stay_plain() -> None:
    told = {"role": "developer", "content": "Be kind."}
    out, losses = write(told, HI, {"role": "assistant", "content": "Hello"}, HI)
    assert out["messages"] == [
        {"role": "system", "content": "Be kind."},
        HI,
        {"role": "assistant", "content": "Hello"},
        HI,
    ]
    assert losses == ()


def test_images_and_texts_keep_their_order() -> None:
    out, losses = write({"role": "user", "content": [{"type": "text", "text": "See"}, IMAGE]})
    assert out["messages"][0]["content"] == [{"type": "text", "text": "See"}, IMAGE]
    assert losses == ()


def test_a_web_address_is_for_cohere_to_fetch() -> None:
    part = {"type": "image_url", "image_url": {"url": "https://x.example/a.png"}}
    out, _ = write({"role": "user", "content": [part]})
    assert out["messages"][0]["content"] == [part]


@pytest.mark.parametrize(
    "part",
    [
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
        {"type": "image_url", "image_url": {"url": "data:image/tiff;base64,AAAA"}},
        {"type": "file", "file": {"file_id": "file-1"}},
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBERi0="}},
        {"type": "file", "file": {"file_data": "data:text/plain;base64,/////w=="}},
    ],
)
def test_what_cohere_cannot_take_is_refused_by_its_place(part: Any) -> None:
    error = refused(HI, {"role": "user", "content": [{"type": "text", "text": "See"}, part]})
    assert error.code == "unsupported_content"
    assert error.param == "messages[1].content[1]"
    assert error.param in error.message


def document(text: str) -> dict[str, Any]:
    data = f"data:text/plain;base64,{base64.b64encode(text.encode()).decode()}"
    return {"type": "file", "file": {"filename": "a.txt", "file_data": data}}


def test_text_documents_can_be_cited() -> None:
    asked = {"role": "user", "content": [document("Snow is cold."), {"type": "text", "text": "?"}]}
    out, losses = write(asked, documents=["More."])
    assert out["messages"] == [{"role": "user", "content": "?"}]
    data = {"title": "a.txt", "text": "Snow is cold."}
    assert out["documents"] == ["More.", {"id": "messages[0].content[0]", "data": data}]
    assert losses == ()


def test_documents_are_text_where_cohere_does_not_take_them() -> None:
    asked = {"role": "user", "content": [document("Snow is cold."), {"type": "text", "text": "?"}]}
    out, _ = write(asked, tools=[tool("f")])
    assert "documents" not in out
    assert out["messages"][0]["content"] == [
        {"type": "text", "text": "a.txt\nSnow is cold."},
        {"type": "text", "text": "?"},
    ]


def test_what_was_said_beside_calls_is_the_plan() -> None:
    turn = {"role": "assistant", "content": "I look.", "tool_calls": [CALL]}
    turn["reasoning_content"] = "Hm."
    result = {"role": "tool", "tool_call_id": "c1", "content": "42"}
    out, losses = write(HI, turn, result)
    assert out["messages"][1:] == [
        {"role": "assistant", "tool_plan": "Hm.\n\nI look.", "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c1", "content": "42"},
    ]
    assert losses == ()


def test_thoughts_go_back_to_models_that_think() -> None:
    turn = {"role": "assistant", "content": "4", "reasoning_content": "2+2"}
    out, losses = write(HI, turn, traits={"thinking": True})
    assert out["messages"][1]["content"] == [
        {"type": "thinking", "thinking": "2+2"},
        {"type": "text", "text": "4"},
    ]
    assert losses == ()
    out, losses = write(HI, turn)
    assert out["messages"][1] == {"role": "assistant", "content": "4"}
    assert losses == ("messages[1].reasoning_content",)


def test_proofs_of_thought_are_left_out_and_noted() -> None:
    thought = Reasoning("2+2", signature="s", encrypted="e", at="messages[0].content[0]")
    request = ChatRequest("m", [Message("assistant", [thought, Text("4")], at="messages[0]")])
    _, losses = write_neutral(request, {"thinking": True})
    assert losses == ("messages[0].content[0].signature", "messages[0].content[0].data")


def test_images_that_tools_return_follow_all_the_results() -> None:
    calls = [CALL, {**CALL, "id": "c2"}]
    shown = {
        "role": "tool",
        "tool_call_id": "c1",
        "content": [{"type": "text", "text": "a"}, IMAGE],
    }
    other = {"role": "tool", "tool_call_id": "c2", "content": "b"}
    out, losses = write(HI, {"role": "assistant", "tool_calls": calls}, shown, other)
    assert out["messages"][2:] == [
        {"role": "tool", "tool_call_id": "c1", "content": "a"},
        other,
        {"role": "user", "content": [IMAGE]},
    ]
    assert losses == ("messages[2].content[1](tool>user)",)


def test_a_result_of_several_parts_keeps_them_apart() -> None:
    parts = [{"type": "text", "text": "a"}, document("b")]
    result = {"role": "tool", "tool_call_id": "c1", "content": parts}
    out, _ = write(HI, {"role": "assistant", "tool_calls": [CALL]}, result)
    at, data = "messages[2].content[1]", {"title": "a.txt", "text": "b"}
    assert out["messages"][2]["content"] == [
        {"type": "text", "text": "a"},
        {"type": "document", "document": {"id": at, "data": data}},
    ]


def test_a_result_without_its_call_is_refused() -> None:
    error = refused(HI, {"role": "tool", "tool_call_id": "c9", "content": "42"})
    assert error.param == "messages[1]"


@pytest.mark.parametrize("arguments", ["{", "[1]", "null", '"a"'])
def test_arguments_that_are_no_object_are_refused(arguments: str) -> None:
    call = {**CALL, "function": {"name": "f", "arguments": arguments}}
    error = refused(HI, {"role": "assistant", "tool_calls": [call]})
    assert (error.code, error.param) == ("invalid_arguments", "messages[1].tool_calls[0]")


def test_custom_calls_become_functions() -> None:
    custom = {"id": "c1", "type": "custom", "custom": {"name": "f", "input": 'say "x"'}}
    out, _ = write(HI, {"role": "assistant", "tool_calls": [custom]})
    function = out["messages"][1]["tool_calls"][0]["function"]
    assert json.loads(function["arguments"]) == {"input": 'say "x"'}


def test_a_messages_own_members_are_noted() -> None:
    out, losses = write({**HI, "name": "eve", "cache_control": {"type": "ephemeral"}, "mood": 1})
    assert out["messages"] == [HI]
    assert set(losses) == {f"messages[0].{name}" for name in ("name", "cache_control", "mood")}


def test_a_citation_without_words_here_is_noted_where_the_caller_has_it() -> None:
    cited = Text("Green.", citations=[Citation(file_id="f", at="there")])
    said = Message("assistant", [cited])
    assert write_neutral(ChatRequest("m", [said]))[1] == ("there",)


def test_nothing_to_say_is_refused() -> None:
    with pytest.raises(InvalidRequest):
        write_neutral(ChatRequest("m", []))


def test_media_of_the_assistant_are_refused() -> None:
    media = Media("image", data="AAAA", media_type="image/png", at="messages[0].content[0]")
    with pytest.raises(InvalidRequest, match=r"messages\[0\]\.content\[0\]"):
        write_neutral(ChatRequest("m", [Message("assistant", [media])]))


def test_a_call_without_arguments_has_an_empty_object() -> None:
    request = ChatRequest("m", [Message("assistant", [ToolCall("c1", "f", " ")])])
    out, _ = write_neutral(request)
    assert out["messages"][0]["tool_calls"][0]["function"]["arguments"] == "{}"


# ---------------------------------------------------------------- tools


def test_tools() -> None:
    tools = [tool("f", description="d", strict=True), tool("g", strict=True)]
    out, losses = write(tools=tools, tool_choice="required")
    assert [one["function"] for one in out["tools"]] == [
        {"name": "f", "description": "d", "parameters": SCHEMA},
        {"name": "g", "parameters": SCHEMA},
    ]
    assert out["strict_tools"] is True
    assert out["tool_choice"] == "REQUIRED"
    assert losses == ()


def test_strictness_of_some_tools_is_noted() -> None:
    out, losses = write(tools=[tool("f", strict=True), tool("g")])
    assert "strict_tools" not in out
    assert losses == ("tools[0].strict",)


def test_a_tool_without_a_schema_takes_nothing() -> None:
    out, _ = write(tools=[{"type": "function", "function": {"name": "f"}}])
    assert out["tools"][0]["function"]["parameters"] == {"type": "object", "properties": {}}


def test_tools_that_cohere_does_not_have_are_noted() -> None:
    custom = {"type": "custom", "custom": {"name": "sql", "format": {"type": "text"}}}
    out, losses = write(tools=[{"type": "web_search"}, custom])
    assert [one["function"]["name"] for one in out["tools"]] == ["sql"]
    assert losses == ("tools[0]", "tools[1].type(custom>function)", "tools[1].format")


NAMED = {"type": "function", "function": {"name": "f"}}


@pytest.mark.parametrize(
    ("choice", "tools", "word", "losses"),
    [
        ("auto", "f", None, ()),
        ("none", "f", "NONE", ()),
        (NAMED, "f", "REQUIRED", ()),
        (NAMED, "fg", "REQUIRED", ("tool_choice(f>REQUIRED)",)),
        ("required", "", None, ("tool_choice",)),
        ("none", "", None, ()),
    ],
)
def test_the_choice_of_a_tool(choice: Any, tools: str, word: str | None, losses: Any) -> None:
    out, lost = write(tools=[tool(name) for name in tools], tool_choice=choice)
    assert out.get("tool_choice") == word
    assert len(out.get("tools", [])) == len(tools)
    assert lost == losses


def test_models_that_cannot_be_told_to_call() -> None:
    traits = {"tool_choice": False, "strict_tools": False}
    out, losses = write(tools=[tool("f", strict=True)], tool_choice="required", traits=traits)
    assert not {"tool_choice", "strict_tools"} & out.keys()
    assert losses == ("tools[0].strict", "tool_choice")


def test_one_call_at_a_time_cannot_be_asked_for() -> None:
    assert write(tools=[tool("f")], parallel_tool_calls=False)[1] == ("parallel_tool_calls",)


# ---------------------------------------------------------------- the rest


def formed(**more: Any) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "place", "schema": SCHEMA, **more}}


def test_a_schema_for_the_answer() -> None:
    out, losses = write(response_format=formed(description="Where", strict=True))
    schema = {**SCHEMA, "title": "place", "description": "Where"}
    assert out["response_format"] == {"type": "json_object", "json_schema": schema}
    assert losses == ()
    assert write(response_format=formed(strict=False))[1] == ("response_format.strict(false>true)",)


def test_json_beside_tools() -> None:
    asked: dict[str, Any] = {"response_format": {"type": "json_object"}, "tools": [tool("f")]}
    out, losses = write(**asked)
    assert "response_format" not in out
    assert losses == ("response_format",)
    out, losses = write(**asked, traits={"format_with_tools": True})
    assert out["response_format"] == {"type": "json_object"}
    assert losses == ()


def test_sampling_has_names_and_ranges_of_its_own() -> None:
    out, losses = write(
        temperature=0.5,
        top_p=1,
        top_k=900,
        frequency_penalty=-1,
        presence_penalty=0.5,
        seed=7,
        stop=list("abcdef"),
        max_completion_tokens=9,
        logprobs=True,
    )
    wanted = {"temperature": 0.5, "p": 0.99, "k": 500, "frequency_penalty": 0, "seed": 7}
    assert wanted.items() <= out.items()
    assert out["presence_penalty"] == 0.5
    assert out["stop_sequences"] == list("abcde")
    assert (out["max_tokens"], out["logprobs"]) == (9, True)
    assert losses == (
        "top_p(1.0>0.99)",
        "top_k(900>500)",
        "frequency_penalty(-1.0>0.0)",
        "stop[5]",
    )


def test_what_cohere_has_no_word_for_is_noted() -> None:
    members = {"n": 2, "user": "u", "metadata": {"a": "b"}, "seed": -1, "service_tier": "flex"}
    assert set(write(**members)[1]) == members.keys()
    assert write(n=1, store=False, service_tier="auto", stream_options={})[1] == ()


def test_coheres_own_members_may_be_sent_along() -> None:
    own = {"safety_mode": "STRICT", "citation_options": {"mode": "FAST"}, "priority": 1}
    thinking = {"type": "enabled", "token_budget": 5}
    out, losses = write(**own, thinking=thinking, unknown=1)
    assert {**own, "thinking": thinking}.items() <= out.items()
    assert losses == ("unknown",)
    out, losses = write(thinking={"type": "enabled", "budget_tokens": 5})
    assert "thinking" not in out
    assert losses == ("thinking",)


@pytest.mark.parametrize(
    ("asked", "thinking", "losses"),
    [
        ({"effort": "none"}, {"type": "disabled"}, ()),
        ({"max_tokens": 500}, {"type": "enabled", "token_budget": 500}, ()),
        ({"enabled": True}, {"type": "enabled"}, ()),
        (
            {"effort": "low"},
            {"type": "enabled", "token_budget": 4096},
            ("reasoning.effort(low>4096)",),
        ),
        (
            {"enabled": True, "exclude": True, "summary": "auto"},
            {"type": "enabled"},
            ("reasoning.summary", "reasoning.shown"),
        ),
    ],
)
def test_thinking(asked: Any, thinking: Any, losses: Any) -> None:
    out, lost = write(reasoning=asked, traits={"thinking": True})
    assert out["thinking"] == thinking
    assert lost == losses


def test_a_model_that_does_not_think() -> None:
    assert write(reasoning_effort="high")[1] == ("reasoning_effort",)
    assert write(reasoning_effort="none")[1] == ()
