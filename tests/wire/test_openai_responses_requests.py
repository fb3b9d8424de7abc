"""Requests of openai.responses: every member has its place, and what is lost is said."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw

from gomodel_proxy.api import InvalidRequest, Losses
from gomodel_proxy.api.chat import (
    ChatRequest,
    Format,
    Message,
    ReasoningWish,
    Text,
    Tool,
    ToolChoice,
)
from gomodel_proxy.wire.openai_chat_codec import ChatCodec
from gomodel_proxy.wire.openai_responses_codec import ResponsesCodec

CODEC = ResponsesCodec()
FUNCTION = {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": True}
CUSTOM = {"type": "custom", "name": "sql", "description": "Ask"}


def read(**members: Any) -> ChatRequest:
    return CODEC.read_request(json.dumps({"model": "m", "input": "Hi", **members}).encode())


def write(request: ChatRequest, **traits: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    losses = Losses()
    written = json.loads(CODEC.write_request(request, traits=traits, losses=losses))
    return written, losses.found


def make(**members: Any) -> ChatRequest:
    return ChatRequest("m", [Message("user", [Text("Hi")])], **members)


@pytest.mark.parametrize(
    "members",
    [
        {"instructions": "Be brief"},
        {"tools": [FUNCTION, CUSTOM, {"type": "mcp", "server_label": "x", "allowed_tools": ["a"]}]},
        {"tools": [FUNCTION | {"defer_loading": True, "output_schema": {"type": "object"}}]},
        {
            "tools": [
                CUSTOM | {"format": {"type": "grammar", "syntax": "lark", "definition": "start: A"}}
            ]
        },
        {"tools": [CUSTOM | {"format": {"type": "text"}}]},
        {"tool_choice": "required"},
        {"tools": [FUNCTION], "tool_choice": {"type": "function", "name": "f"}},
        {"tools": [CUSTOM], "tool_choice": {"type": "custom", "name": "sql"}},
        {"tool_choice": {"type": "mcp", "server_label": "x", "name": "a"}},
        {"tool_choice": {"type": "web_search_preview"}},
        {
            "tools": [FUNCTION, CUSTOM],
            "tool_choice": {
                "type": "allowed_tools",
                "mode": "required",
                "tools": [{"type": "function", "name": "f"}, {"type": "custom", "name": "sql"}],
            },
        },
        {"tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "image"}]}},
        {"parallel_tool_calls": False},
        {"text": {"format": {"type": "text"}, "verbosity": "low"}},
        {"text": {"format": {"type": "json_object"}}},
        {
            "text": {
                "format": {
                    "type": "json_schema",
                    "name": "answer",
                    "schema": {"type": "object"},
                    "strict": True,
                    "description": "An answer",
                }
            }
        },
        {"reasoning": {"effort": "high", "summary": "auto", "context": "all_turns"}},
        {"reasoning": {"effort": "none"}},
        {"max_output_tokens": 99, "max_tool_calls": 3},
        {"temperature": 0.5, "top_p": 0.9, "top_logprobs": 2},
        {"metadata": {"a": "b"}, "user": "me", "safety_identifier": "s", "prompt_cache_key": "k"},
        {"service_tier": "flex", "truncation": "auto", "background": True},
        {"stream": True, "stream_options": {"include_obfuscation": False}},
        {"previous_response_id": "resp_1"},
        {"conversation": {"id": "conv_1"}},
        {"prompt": {"id": "pmpt_1", "variables": {"a": "b"}}},
        {"context_management": [{"type": "compaction", "compact_threshold": 1000}]},
        {"include": ["file_search_call.results", "reasoning.encrypted_content"]},
        {"include": ["message.output_text.logprobs"]},
        {"store": True},
    ],
)
def test_read_and_written_again(members: dict[str, Any]) -> None:
    written, losses = write(read(**members))
    assert written == {"model": "m", "input": "Hi", "store": False, **members}
    assert losses == ()


@pytest.mark.parametrize(
    "members",
    [{"truncation": "disabled"}, {"background": False}, {"stream": False}, {"temperature": None}],
)
def test_what_is_as_if_nothing_was_said(members: dict[str, Any]) -> None:
    written, losses = write(read(**members))
    assert written == {"model": "m", "input": "Hi", "store": False}
    assert losses == ()
    losses_ = Losses()
    ChatCodec().write_request(read(**members), traits={}, losses=losses_)
    assert losses_.found == ()


def test_instructions_lead() -> None:
    request = read(instructions="Be brief")
    assert [(one.role, one.at) for one in request.messages] == [
        ("system", "instructions"),
        ("user", "input"),
    ]


def test_the_older_name_of_summary() -> None:
    request = read(reasoning={"generate_summary": "concise"})
    assert write(request)[0]["reasoning"] == {"summary": "concise"}
    losses = Losses()
    ChatCodec().write_request(request, traits={}, losses=losses)
    assert losses.found == ("reasoning.generate_summary",)


def test_what_other_dialects_lose_goes_by_our_names() -> None:
    request = read(
        text={"verbosity": "low", "x": 1},
        reasoning={"summary": "auto", "mode": "pro"},
        tools=[{"type": "web_search"}],
        tool_choice={"type": "web_search"},
        max_tool_calls=2,
        previous_response_id="resp_1",
    )
    losses = Losses()
    ChatCodec().write_request(request, traits={}, losses=losses)
    assert losses.found == (
        "tools[0]",
        "tool_choice",
        "reasoning.mode",
        "reasoning.summary",
        "text.x",
        "max_tool_calls",
        "previous_response_id",
    )


@pytest.mark.parametrize(
    ("members", "place"),
    [
        ({"tool_choice": "maybe"}, "tool_choice"),
        ({"tool_choice": {"type": "allowed_tools", "mode": "x", "tools": []}}, "tool_choice.mode"),
        ({"tools": [{"name": "f"}]}, "tools[0].type"),
        ({"tools": [{"type": "function"}]}, "tools[0].name"),
        ({"text": {"format": {"type": "yaml"}}}, "text.format"),
        ({"text": "json"}, "text"),
        ({"reasoning": "high"}, "reasoning"),
        ({"max_output_tokens": "many"}, "max_output_tokens"),
        ({"instructions": 7}, "instructions"),
        ({"include": [7]}, "include[0]"),
        ({"input": 7}, "input"),
    ],
)
def test_what_is_wrong_is_named(members: dict[str, Any], place: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read(**members)
    assert caught.value.param == place


# ---------------------------------------------------------------- from other dialects


def test_what_has_no_word_here_is_reported() -> None:
    request = make(
        stop=["x"],
        seed=7,
        n=2,
        top_k=3,
        min_p=0.1,
        frequency_penalty=0.5,
        presence_penalty=0.25,
        logit_bias=Raw(b"{}"),
        modalities=["audio"],
        cache=Raw(b"{}"),
        names={"stop": "stop_sequences"},
        extra={"x": Raw(b"1")},
    )
    assert set(write(request)[1]) == {
        "stop_sequences",
        "seed",
        "n",
        "top_k",
        "min_p",
        "frequency_penalty",
        "presence_penalty",
        "logit_bias",
        "modalities",
        "cache_control",
        "x",
    }


def test_a_member_of_the_same_name_and_another_type_is_anothers() -> None:
    request = make(extra={"context_management": Raw(b'{"edits":[]}')})
    written, losses = write(request)
    assert "context_management" not in written
    assert losses == ("context_management",)


def test_one_choice_of_text_is_what_there_is() -> None:
    assert write(make(n=1, modalities=["text"], stream_usage=True))[1] == ()


def test_strictness_is_said_as_it_is_the_default_here() -> None:
    written, _ = write(make(tools=[Tool("f", schema=Raw(b"{}")), Tool("g", strict=True)]))
    assert [tool["strict"] for tool in written["tools"]] == [False, True]


def test_built_in_tools_and_choices_of_others() -> None:
    request = make(
        tools=[Tool("search", "builtin", raw=Raw(b"{}"), dialect="acme", at="tools[0]")],
        tool_choice=ToolChoice("raw", raw=Raw(b"{}"), dialect="acme", at="tool_choice"),
        format=Format("raw", raw=Raw(b"{}"), dialect="acme", at="format"),
    )
    written, losses = write(request)
    assert {"tools", "tool_choice", "text"}.isdisjoint(written)
    assert losses == ("tools[0]", "tool_choice", "format")


def test_a_budget_becomes_an_effort() -> None:
    wish = ReasoningWish(budget=15000, shown=False, at="thinking")
    names = {"reasoning.budget": "thinking.budget_tokens"}
    written, losses = write(make(reasoning=wish, names=names))
    assert written["reasoning"] == {"effort": "medium"}
    assert losses == ("thinking.budget_tokens(15000>medium)", "thinking.shown")


def test_traits() -> None:
    request = make(temperature=0.5, top_p=0.5, max_tokens=5, names={"max_tokens": "max_tokens"})
    written, losses = write(
        request, fixed_sampling=True, min_output_tokens=16, encrypted_reasoning=True
    )
    assert written["max_output_tokens"] == 16
    assert written["include"] == ["reasoning.encrypted_content"]
    assert losses == ("temperature", "top_p", "max_tokens(5>16)")


def test_probabilities_are_asked_for_in_two_ways() -> None:
    written, _ = write(make(logprobs=True, top_logprobs=3))
    assert written["include"] == ["message.output_text.logprobs"]
    assert written["top_logprobs"] == 3
    assert read(include=["message.output_text.logprobs"]).logprobs is True


def test_nothing_is_stored_that_nobody_asked_to_store() -> None:
    assert write(make())[0]["store"] is False
    assert write(make(store=True))[0]["store"] is True


def test_a_grammar_of_chat() -> None:
    grammar = {"syntax": "regex", "definition": "a+"}
    tool = {"type": "custom", "custom": {"name": "sql", "format": {"type": "grammar"}}}
    tool["custom"]["format"]["grammar"] = grammar  # type: ignore[index]
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "tools": [tool]}
    written, _ = write(ChatCodec().read_request(json.dumps(body).encode()))
    assert written["tools"][0]["format"] == {"type": "grammar", **grammar}
    back = json.loads(ChatCodec().write_request(read(**written), traits={}, losses=Losses()))
    assert back["tools"] == [tool]
