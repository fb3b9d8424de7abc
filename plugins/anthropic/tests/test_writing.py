"""Requests written for Anthropic, as they come from callers of OpenAI's chat."""

from __future__ import annotations

import base64
import json
from fnmatch import fnmatchcase
from typing import Any

import pytest

from gomodel_proxy.api import InvalidRequest, Losses
from gomodel_proxy.api.chat import ChatRequest, Citation, Message, Text
from gomodel_proxy.wire.openai_chat_codec import ChatCodec
from gomodel_proxy_anthropic.codec import MessagesCodec
from gomodel_proxy_anthropic.data import published_traits

USER: dict[str, Any] = {"role": "user", "content": "Hi"}
CALL: dict[str, Any] = {
    "role": "assistant",
    "content": None,
    "tool_calls": [
        {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
    ],
}
RESULT: dict[str, Any] = {"role": "tool", "tool_call_id": "c1", "content": "one"}
TOOLS: list[Any] = [
    {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
]


def traits(model: str, version: str = "2026-10-21") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for pattern, one in published_traits(version).items():
        if fnmatchcase(model, pattern):
            found |= one
    return found


def write(
    *messages: Any, model: str = "claude-opus-5", version: str = "2026-10-21", **more: Any
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the written body and the losses."""
    body = {"model": model, "messages": list(messages) or [USER], **more}
    request = ChatCodec().read_request(json.dumps(body).encode())
    losses = Losses()
    written = MessagesCodec().write_request(request, traits=traits(model, version), losses=losses)
    return json.loads(written), losses.found


def refused(*messages: Any, **more: Any) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as caught:
        write(*messages, **more)
    return caught.value


# ---------------------------------------------------------------- messages


def test_the_plainest_request() -> None:
    assert write() == (
        {
            "model": "claude-opus-5",
            "max_tokens": 32000,
            "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}],
        },
        (),
    )


def test_the_callers_limit_goes_before_the_familys() -> None:
    assert write(max_completion_tokens=7)[0]["max_tokens"] == 7
    assert write(model="claude-3-haiku-20240307")[0]["max_tokens"] == 4096


def test_leading_instructions_are_the_system_prompt() -> None:
    written, losses = write(
        {"role": "system", "content": "Be kind."}, {"role": "developer", "content": "Brief."}, USER
    )
    assert [block["text"] for block in written["system"]] == ["Be kind.", "Brief."]
    assert [message["role"] for message in written["messages"]] == ["user"]
    assert losses == ()


def test_later_instructions_stay_where_the_model_allows_it() -> None:
    later = [USER, {"role": "system", "content": "Now French."}]
    written, losses = write(*later)
    assert [message["role"] for message in written["messages"]] == ["user", "system"]
    assert losses == ()
    written, losses = write(*later, model="claude-sonnet-4-5")
    assert written["system"][0]["text"] == "Now French."
    assert losses == ("messages[1](mid-conversation>leading)",)


def test_instructions_alone_are_what_the_user_says() -> None:
    written, losses = write({"role": "system", "content": "Say hi."})
    assert written["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "Say hi."}]}
    ]
    assert losses == ("messages(system>user)",)


def test_one_side_speaks_once_and_results_come_first() -> None:
    written, _ = write(
        USER,
        {"role": "user", "content": "Quick!", "name": "ann"},
        CALL,
        {"role": "assistant", "content": "Wait."},
        {"role": "user", "content": "So?"},
        RESULT,
    )
    assert [message["role"] for message in written["messages"]] == ["user", "assistant", "user"]
    kinds = [[block["type"] for block in message["content"]] for message in written["messages"]]
    assert kinds == [["text", "text"], ["tool_use", "text"], ["tool_result", "text"]]


def test_a_citation_without_words_here_is_noted_where_the_caller_has_it() -> None:
    cited = Text("Green.", citations=[Citation(file_id="f", at="there")])
    request = ChatRequest("m", [Message("assistant", [cited])])
    losses = Losses()
    MessagesCodec().write_request(request, traits={}, losses=losses)
    assert losses.found == ("there",)


def test_names_of_speakers_have_no_place() -> None:
    assert write({**USER, "name": "ann"})[1] == ("messages[0].name",)


def test_calls_and_results_pair_up() -> None:
    odd = json.loads(json.dumps([CALL, RESULT]).replace("c1", "functions.f:0"))
    written, _ = write(USER, *odd)
    call, result = written["messages"][1]["content"][0], written["messages"][2]["content"][0]
    assert call == {"type": "tool_use", "id": "functions_f_0", "name": "f", "input": {"a": 1}}
    assert result["tool_use_id"] == "functions_f_0"
    assert result["content"] == [{"type": "text", "text": "one"}]


@pytest.mark.parametrize(
    ("messages", "place"),
    [
        ([USER, RESULT], "messages[1]"),
        ([USER, CALL], "messages[1].tool_calls[0]"),
        ([USER, CALL, USER], "messages[1].tool_calls[0]"),
        ([USER, CALL, RESULT, RESULT], "messages[3]"),
        ([USER, CALL, USER, {"role": "assistant", "content": "x"}, RESULT], "messages[1]"),
    ],
)
def test_impossible_orders_name_their_place(messages: list[Any], place: str) -> None:
    error = refused(*messages)
    assert error.status == 400
    assert (error.param or "").startswith(place)
    assert place in error.message


@pytest.mark.parametrize("arguments", ["[1]", '"x"', "{", "not json"])
def test_arguments_that_are_no_object_are_refused(arguments: str) -> None:
    call = json.loads(json.dumps(CALL))
    call["tool_calls"][0]["function"]["arguments"] = arguments
    assert refused(USER, call, RESULT).param == "messages[1].tool_calls[0]"


def test_a_call_without_arguments_has_none() -> None:
    call = json.loads(json.dumps(CALL))
    call["tool_calls"][0]["function"]["arguments"] = ""
    assert write(USER, call, RESULT)[0]["messages"][1]["content"][0]["input"] == {}


def test_nothing_said_is_refused() -> None:
    assert refused({"role": "user", "content": ""}).param == "messages"


# ---------------------------------------------------------------- media


def part(kind: str, **inner: Any) -> dict[str, Any]:
    return {"role": "user", "content": [{"type": kind, **inner}]}


@pytest.mark.parametrize(
    ("given", "source"),
    [
        (
            part("image_url", image_url={"url": "data:image/png;base64,AAAA"}),
            {"type": "base64", "media_type": "image/png", "data": "AAAA"},
        ),
        (
            part("image_url", image_url={"url": "https://x.test/a.png"}),
            {"type": "url", "url": "https://x.test/a.png"},
        ),
        (
            part("file", file={"file_data": "data:application/pdf;base64,JVBERi0="}),
            {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="},
        ),
        (
            part("file", file={"file_data": "data:text/csv;base64,YSxi"}),
            {"type": "text", "media_type": "text/plain", "data": "a,b"},
        ),
        (part("file", file={"file_id": "file_1"}), {"type": "file", "file_id": "file_1"}),
    ],
)
def test_media(given: dict[str, Any], source: dict[str, Any]) -> None:
    assert write(given)[0]["messages"][0]["content"][0]["source"] == source


@pytest.mark.parametrize(
    "given",
    [
        part("input_audio", input_audio={"data": "AAAA", "format": "wav"}),
        part("image_url", image_url={"url": "data:image/tiff;base64,AAAA"}),
        part("file", file={"file_data": "data:application/zip;base64,AAAA"}),
        part("video_url", video_url={"url": "https://x.test/a.mp4"}),
    ],
)
def test_media_that_anthropic_does_not_take(given: dict[str, Any]) -> None:
    assert refused(given).param == "messages[0].content[0]"


def test_the_detail_of_an_image_is_lost_and_said() -> None:
    url = {"url": "https://x.test/a.png", "detail": "high"}
    assert write(part("image_url", image_url=url))[1] == ("messages[0].content[0].detail",)


# ---------------------------------------------------------------- tools


def test_tools_and_choices() -> None:
    tool = {"name": "f", "description": "d", "parameters": {"properties": {}}, "strict": True}
    written, losses = write(
        tools=[
            {"type": "function", "function": tool},
            {"type": "function", "function": {"name": "g"}},
        ],
        tool_choice="required",
        parallel_tool_calls=False,
    )
    assert written["tools"][0] == {
        "name": "f",
        "description": "d",
        "input_schema": {"type": "object", "properties": {}},
        "strict": True,
    }
    assert written["tools"][1]["input_schema"] == {"type": "object", "properties": {}}
    assert written["tool_choice"] == {"type": "any", "disable_parallel_tool_use": True}
    assert losses == ()


@pytest.mark.parametrize(
    ("choice", "written"),
    [
        ("auto", {"type": "auto"}),
        ("none", {"type": "none"}),
        ({"type": "function", "function": {"name": "f"}}, {"type": "tool", "name": "f"}),
    ],
)
def test_choices(choice: Any, written: dict[str, str]) -> None:
    assert write(tools=TOOLS, tool_choice=choice)[0]["tool_choice"] == written


def test_a_tool_is_not_forced_where_that_is_refused() -> None:
    written, losses = write(tools=TOOLS, tool_choice="required", model="claude-opus-5-5")
    assert written["tool_choice"] == {"type": "auto"}
    assert losses == ("tool_choice(required>auto)",)


def test_a_custom_tool_takes_its_text_in_an_object() -> None:
    written, losses = write(
        USER,
        {
            "role": "assistant",
            "tool_calls": [{"id": "c1", "type": "custom", "custom": {"name": "p", "input": "1+1"}}],
        },
        RESULT,
        tools=[{"type": "custom", "custom": {"name": "p", "format": {"type": "text"}}}],
    )
    assert written["tools"][0]["input_schema"]["required"] == ["input"]
    assert written["messages"][1]["content"][0]["input"] == {"input": "1+1"}
    assert losses == ("tools[0].type(custom>function)", "tools[0].format")


# ---------------------------------------------------------------- thinking


def think(model: str, effort: str, **more: Any) -> tuple[Any, Any, tuple[str, ...]]:
    written, losses = write(model=model, reasoning_effort=effort, **more)
    return written.get("thinking"), written.get("output_config"), losses


def test_models_that_adapt_take_the_effort() -> None:
    adaptive = {"type": "adaptive"}
    assert think("claude-opus-5", "xhigh") == (adaptive, {"effort": "xhigh"}, ())
    assert think("claude-sonnet-4-6", "xhigh") == (
        adaptive,
        {"effort": "high"},
        ("reasoning_effort(xhigh>high)",),
    )
    assert think("claude-opus-5", "minimal")[2] == ("reasoning_effort(minimal>low)",)


def test_older_models_take_a_budget() -> None:
    thinking, output, losses = think("claude-haiku-4-5", "medium")
    assert thinking == {"type": "enabled", "budget_tokens": 10000}
    assert output is None
    assert losses == ("reasoning_effort(medium>10000)",)
    assert think("claude-opus-4-5", "low") == (
        {"type": "enabled", "budget_tokens": 4096},
        {"effort": "low"},
        (),
    )


def test_a_budget_fits_the_limit_and_the_limit_has_room_for_it() -> None:
    written, losses = write(model="claude-haiku-4-5", reasoning_effort="high", max_tokens=2000)
    assert written["thinking"]["budget_tokens"] == 1999
    assert "reasoning_effort.budget(24000>1999)" in losses
    assert write(model="claude-haiku-4-5", reasoning_effort="high")[0]["max_tokens"] == 56000
    thinking, _, losses = think("claude-haiku-4-5", "high", max_tokens=1024)
    assert thinking is None
    assert "reasoning_effort" in losses


def test_thinking_can_be_off() -> None:
    assert think("claude-opus-5", "none") == ({"type": "disabled"}, None, ())
    assert think("claude-opus-5-5", "none") == (
        None,
        {"effort": "low"},
        ("reasoning_effort(none>low)",),
    )
    assert think("claude-sonnet-5-5", "none")[0] == {"type": "between_tools"}
    assert think("claude-3-haiku-20240307", "none") == (None, None, ())


def test_models_without_thought_lose_the_wish() -> None:
    assert think("claude-3-5-haiku-20241022", "high") == (None, None, ("reasoning_effort",))


def test_a_budget_gives_way_to_a_forced_tool_and_to_a_loop_without_its_thoughts() -> None:
    forced = think("claude-haiku-4-5", "low", tools=TOOLS, tool_choice="required")
    assert forced == (None, None, ("reasoning_effort",))
    written, losses = write(
        USER, CALL, RESULT, model="claude-haiku-4-5", reasoning_effort="low", tools=TOOLS
    )
    assert "thinking" not in written
    assert losses == ("reasoning_effort",)


def test_thoughts_come_back_with_their_proof() -> None:
    proven = {
        **CALL,
        "reasoning_details": [
            {
                "type": "reasoning.text",
                "text": "Hm",
                "signature": "S",
                "format": "anthropic.messages",
            }
        ],
    }
    written, losses = write(
        USER, proven, RESULT, model="claude-haiku-4-5", reasoning_effort="low", tools=TOOLS
    )
    assert written["thinking"]["budget_tokens"] == 4096
    assert written["messages"][1]["content"][0] == {
        "type": "thinking",
        "thinking": "Hm",
        "signature": "S",
    }
    assert losses == ("reasoning_effort(low>4096)",)


def test_thoughts_of_others_prove_nothing() -> None:
    thought = {"role": "assistant", "content": "Yes", "reasoning_content": "Hm"}
    assert write(USER, thought)[1] == ("messages[1].reasoning_content",)


@pytest.mark.parametrize(
    ("thinking", "kept"),
    [
        ({"type": "enabled", "budget_tokens": 2000}, True),
        ({"type": "adaptive", "display": "summarized"}, True),
        ({"type": "enabled"}, False),
        ({"type": "enabled", "budget_tokens": 2000, "clear_thinking": True}, False),
    ],
)
def test_a_member_of_anthropics_own_passes(thinking: Any, kept: bool) -> None:
    written, losses = write(thinking=thinking)
    assert (written.get("thinking") == thinking, losses) == (kept, () if kept else ("thinking",))


# ---------------------------------------------------------------- the rest


def test_sampling_is_for_older_models_under_the_older_version() -> None:
    given = {"temperature": 1.5, "top_p": 0.5}
    assert write(**given)[1] == ("temperature", "top_p")
    assert write(**given, model="claude-sonnet-4-5")[1] == ("temperature", "top_p")
    written, losses = write(**given, model="claude-sonnet-4-5", version="2023-06-01")
    assert written["temperature"] == 1.0
    assert losses == ("temperature(1.5>1.0)", "top_p")
    written, losses = write(**given, model="claude-3-haiku-20240307", version="2023-06-01")
    assert (written["top_p"], losses) == (0.5, ("temperature(1.5>1.0)",))


def test_sampling_ends_where_thinking_begins() -> None:
    written, losses = write(
        temperature=0.5,
        reasoning_effort="low",
        model="claude-sonnet-4-20250514",
        version="2023-06-01",
    )
    assert "temperature" not in written
    assert losses == ("reasoning_effort(low>4096)", "temperature")


def test_a_schema_is_asked_for_with_its_name_in_it() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    form = {"name": "thing", "schema": schema, "strict": True, "description": "A thing."}
    given = {"response_format": {"type": "json_schema", "json_schema": form}}
    written, losses = write(**given)
    assert written["output_config"]["format"] == {
        "type": "json_schema",
        "schema": {**schema, "title": "thing", "description": "A thing."},
    }
    assert losses == ()
    assert write(**given, model="claude-3-haiku-20240307")[1] == ("response_format",)


def test_a_format_without_a_schema_cannot_be_asked_for() -> None:
    assert write(response_format={"type": "json_object"})[1] == ("response_format",)
    assert write(response_format={"type": "text"})[1] == ()


def test_what_anthropic_has_other_words_for() -> None:
    written, losses = write(
        stop=["END", " "], user="u1", service_tier="default", stream=True, n=1, logprobs=False
    )
    assert written["stop_sequences"] == ["END"]
    assert written["metadata"] == {"user_id": "u1"}
    assert written["service_tier"] == "standard_only"
    assert written["stream"] is True
    assert losses == ("stop[1]",)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n", 2),
        ("seed", 1),
        ("frequency_penalty", 0.5),
        ("presence_penalty", -1),
        ("logprobs", True),
        ("top_logprobs", 3),
        ("logit_bias", {"1": 2}),
        ("metadata", {"a": "b"}),
        ("store", True),
        ("verbosity", "low"),
        ("modalities", ["text", "audio"]),
        ("service_tier", "flex"),
        ("prediction", {"type": "content", "content": "x"}),
        ("whatever", 1),
    ],
)
def test_what_anthropic_has_no_word_for_is_said(name: str, value: Any) -> None:
    written, losses = write(**{name: value})
    assert losses == (name,)
    assert name not in written


def test_text_is_decoded_only_where_it_is_text() -> None:
    data = base64.b64encode(b"\xff\xfe").decode()
    given = part("file", file={"file_data": f"data:text/plain;base64,{data}"})
    assert refused(given).param == "messages[0].content[0]"
