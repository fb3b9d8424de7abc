"""Requests written for the vendor, and what is said to be lost."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw

from gomodel_proxy.api import InvalidRequest, Losses
from gomodel_proxy.api.chat import (
    ChatRequest,
    Format,
    Media,
    Message,
    Opaque,
    Part,
    Reasoning,
    ReasoningWish,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from gomodel_proxy_gemini.codec import GeminiCodec
from gomodel_proxy_gemini.proofs import UNPROVEN

from .typed import check, traits_of

HI = Message("user", [Text("Hi")])


def write(
    *messages: Message, traits: dict[str, Any] | None = None, **members: Any
) -> tuple[Any, tuple[str, ...]]:
    request = ChatRequest("m", list(messages or (HI,)), **members)
    losses = Losses()
    body = GeminiCodec().write_request(request, traits=traits or {}, losses=losses)
    written = json.loads(body)
    check(written)
    return written, losses.found


def contents(*messages: Message, **traits: Any) -> Any:
    return write(*messages, traits=traits)[0]["contents"]


def test_settings() -> None:
    written, losses = write(
        max_tokens=9,
        temperature=0.5,
        top_p=0.9,
        top_k=40,
        n=2,
        stop=["a"],
        seed=7,
        presence_penalty=0.1,
        frequency_penalty=0.2,
        logprobs=True,
        top_logprobs=3,
        modalities=["text"],
        service_tier="flex",
        store=False,
    )
    assert written["generationConfig"] == {
        "maxOutputTokens": 9,
        "temperature": 0.5,
        "topP": 0.9,
        "topK": 40,
        "candidateCount": 2,
        "stopSequences": ["a"],
        "seed": 7,
        "presencePenalty": 0.1,
        "frequencyPenalty": 0.2,
        "responseLogprobs": True,
        "logprobs": 3,
        "responseModalities": ["TEXT"],
    }
    assert (written["serviceTier"], written["store"]) == ("flex", False)
    assert losses == ()


@pytest.mark.parametrize(
    ("seed", "sent"), [(2**31 - 1, 2**31 - 1), (-7, -7), (2**31 + 5, 5), (-(2**31) - 1, 2**31 - 1)]
)
def test_a_seed_fits_32_bits(seed: int, sent: int) -> None:
    written, losses = write(seed=seed)
    assert written["generationConfig"]["seed"] == sent
    assert losses == (() if seed == sent else (f"seed({seed}>{sent})",))


def test_what_the_vendor_has_no_word_for_is_said() -> None:
    _, losses = write(
        verbosity="low",
        min_p=0.1,
        logit_bias=Raw(b"{}"),
        user="u",
        metadata=Raw(b"{}"),
        parallel_tools=False,
        service_tier="auto",
        cache=Raw(b"{}"),
        seed=1,
        extra={"prediction": Raw(b"{}")},
        names={"parallel_tools": "parallel_tool_calls"},
        traits={"unsupported": ["seed"]},
    )
    assert set(losses) == {
        "verbosity",
        "min_p",
        "logit_bias",
        "user",
        "metadata",
        "parallel_tool_calls",
        "service_tier",
        "cache_control",
        "seed",
        "prediction",
    }


def test_members_that_the_dialect_knows_come_along() -> None:
    extra = {
        "safetySettings": Raw(b"[]"),
        "generationConfig.mediaResolution": Raw(b'"MEDIA_RESOLUTION_LOW"'),
        "toolConfig.retrievalConfig": Raw(b'{"languageCode":"de"}'),
    }
    written, losses = write(extra=extra)
    assert written["safetySettings"] == []
    assert written["generationConfig"] == {"mediaResolution": "MEDIA_RESOLUTION_LOW"}
    assert written["toolConfig"] == {"retrievalConfig": {"languageCode": "de"}}
    assert losses == ()


# ---------------------------------------------------------------- messages


def test_instructions_before_the_conversation_and_within_it() -> None:
    late = Message("developer", [Text("Now in verse.")], at="messages[2]")
    written, losses = write(Message("system", [Text("Be brief.")]), HI, late)
    assert written["systemInstruction"] == {"parts": [{"text": "Be brief."}]}
    assert written["contents"][1] == {"role": "user", "parts": [{"text": "Now in verse."}]}
    assert losses == ("messages[2].role(developer>user)",)


def test_instructions_alone_are_said_by_the_user() -> None:
    written, losses = write(Message("system", [Text("Speak.")], at="messages[0]"))
    assert written["contents"] == [{"role": "user", "parts": [{"text": "Speak."}]}]
    assert losses == ("messages[0].role(system>user)",)


CALLS = [
    Message("assistant", [ToolCall("a", "f", '{"x": 1}')], at="messages[1]"),
    Message("assistant", [ToolCall("b", "g", "")], at="messages[2]"),
]


def results(*found: Part, call: str = "a", **members: Any) -> Message:
    return Message("tool", [ToolResult(call, list(found), at="messages[3]", **members)])


def test_calls_and_results_of_one_turn_stay_together() -> None:
    got = contents(HI, *CALLS, results(Text("one")), results(Text('{"two": 2}'), call="b"))
    assert [content["role"] for content in got] == ["user", "model", "user"]
    assert got[1]["parts"] == [
        {"functionCall": {"id": "a", "name": "f", "args": {"x": 1}}},
        {"functionCall": {"id": "b", "name": "g", "args": {}}},
    ]
    assert got[2]["parts"] == [
        {"functionResponse": {"id": "a", "name": "f", "response": {"output": "one"}}},
        {"functionResponse": {"id": "b", "name": "g", "response": {"two": 2}}},
    ]


@pytest.mark.parametrize(
    ("parts", "error", "response"),
    [
        ([Text("[1]")], None, {"output": "[1]"}),
        ([Text("{broken")], None, {"output": "{broken"}),
        ([Text("a"), Text("b")], None, {"output": "a\nb"}),
        ([Text('{"a": 1}')], True, {"error": '{"a": 1}'}),
        ([], None, {"output": ""}),
    ],
)
def test_results_that_are_no_objects_are_wrapped(
    parts: list[Part], error: bool | None, response: Any
) -> None:
    got = contents(HI, *CALLS, results(*parts, error=error))
    assert got[2]["parts"][0]["functionResponse"]["response"] == response


def test_media_in_results_go_within_or_beside() -> None:
    message = results(Text("see"), Media("image", data="iVBORw0KGgo="))
    picture = {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}}
    within = contents(HI, *CALLS, message, result_media=True)
    assert within[2]["parts"][0]["functionResponse"]["parts"] == [picture]
    beside = contents(HI, *CALLS, message)
    assert "parts" not in beside[2]["parts"][0]["functionResponse"]
    assert beside[3] == {"role": "user", "parts": [picture]}


@pytest.mark.parametrize("arguments", ["[1]", "not json", '"text"', "{"])
def test_arguments_that_are_no_object_are_refused(arguments: str) -> None:
    call = ToolCall("a", "f", arguments, at="messages[1].tool_calls[0]")
    with pytest.raises(InvalidRequest) as caught:
        write(HI, Message("assistant", [call]))
    assert caught.value.param == "messages[1].tool_calls[0]"


def test_a_result_without_its_call_is_refused() -> None:
    with pytest.raises(InvalidRequest) as caught:
        write(HI, results(Text("x")))
    assert caught.value.param == "messages[3]"


def test_the_first_call_of_a_turn_gets_the_stand_in_for_a_proof() -> None:
    got = contents(HI, *CALLS, call_proof=True)
    assert got[1]["parts"][0]["thoughtSignature"] == UNPROVEN
    assert "thoughtSignature" not in contents(HI, *CALLS)[1]["parts"][0]
    proven = ToolCall("a", "f", signature="c2ln")
    got = contents(HI, Message("assistant", [proven]), call_proof=True)
    assert got[1]["parts"][0]["thoughtSignature"] == "c2ln"


def test_thoughts_keep_their_words_and_their_own_vendors_proof() -> None:
    own = Reasoning("Hm", signature="c2ln", dialect="gemini.generate", at="m[1].a")
    other = Reasoning("So", signature="sig", dialect="anthropic.messages", at="m[1].b")
    hidden = Reasoning(encrypted="x", redacted=True, dialect="anthropic.messages", at="m[1].c")
    written, losses = write(HI, Message("assistant", [own, other, hidden, Text("Yes")]))
    assert written["contents"][1]["parts"] == [
        {"text": "Hm", "thought": True, "thoughtSignature": "c2ln"},
        {"text": "So", "thought": True},
        {"text": "Yes"},
    ]
    assert losses == ("m[1].b", "m[1].c")


def test_opaque_parts_pass_or_are_said_in_words() -> None:
    own = Opaque("gemini.generate", "executableCode", Raw(b'{"executableCode":{"code":"1"}}'))
    other = Opaque("openai.responses", "web_search_call", Raw(b"{}"), "searched", at="input[1]")
    written, losses = write(HI, Message("assistant", [own, other]))
    assert written["contents"][1]["parts"] == [
        {"executableCode": {"code": "1"}},
        {"text": "searched"},
    ]
    assert losses == ("input[1]",)


@pytest.mark.parametrize(
    ("media", "part"),
    [
        (Media("image", data="/9j/AA=="), {"inlineData": {"mimeType": "image/jpeg"}}),
        (
            Media("document", data="AAAA", media_type="text/csv"),
            {"inlineData": {"mimeType": "text/csv"}},
        ),
        (
            Media("image", url="https://a.example/b.JPG?c=d"),
            {"fileData": {"fileUri": "https://a.example/b.JPG?c=d", "mimeType": "image/jpeg"}},
        ),
        (Media("video", url="https://youtu.be/x"), {"fileData": {"fileUri": "https://youtu.be/x"}}),
        (Media("document", text="Once."), {"text": "Once."}),
        (
            Media("audio", file_id="files/x"),
            {"fileData": {"fileUri": "https://generativelanguage.googleapis.com/v1beta/files/x"}},
        ),
    ],
)
def test_media(media: Media, part: Any) -> None:
    (got,) = contents(Message("user", [media]))[0]["parts"]
    if "inlineData" in got:
        assert got["inlineData"].pop("data") == media.data
    assert got == part


@pytest.mark.parametrize(
    "media",
    [Media("document", file_id="file-abc"), Media("image", data="!"), Media("image", data="")],
)
def test_media_that_nobody_could_read_are_refused(media: Media) -> None:
    media.at = "messages[0].content[1]"
    with pytest.raises(InvalidRequest) as caught:
        write(Message("user", [media]))
    assert caught.value.param == "messages[0].content[1]"


# ---------------------------------------------------------------- tools and form

FUNCTION = Tool("f", description="d", schema=Raw(b'{"type":"object"}'), at="tools[0]")
STRICT = Tool("f", schema=Raw(b"{}"), strict=True, at="tools[0]")


def test_tools() -> None:
    own = Tool(
        "googleSearch", "builtin", raw=Raw(b'{"googleSearch":{}}'), dialect="gemini.generate"
    )
    other = Tool("web_search", "builtin", raw=Raw(b"{}"), dialect="openai.chat", at="tools[2]")
    custom = Tool("grep", "custom", at="tools[3]")
    written, losses = write(tools=[FUNCTION, own, other, custom])
    assert written["tools"] == [
        {
            "functionDeclarations": [
                {"name": "f", "description": "d", "parametersJsonSchema": {"type": "object"}}
            ]
        },
        {"googleSearch": {}},
    ]
    assert losses == ("tools[2]", "tools[3]")


@pytest.mark.parametrize(
    ("choice", "want"),
    [
        (ToolChoice("auto"), {"mode": "AUTO"}),
        (ToolChoice("none"), {"mode": "NONE"}),
        (ToolChoice("required"), {"mode": "ANY"}),
        (ToolChoice("named", ["f"]), {"mode": "ANY", "allowedFunctionNames": ["f"]}),
        (ToolChoice("auto", ["f"]), {"mode": "VALIDATED", "allowedFunctionNames": ["f"]}),
    ],
)
def test_the_choice_of_tools(choice: ToolChoice, want: Any) -> None:
    written, losses = write(tools=[FUNCTION], tool_choice=choice)
    assert written["toolConfig"] == {"functionCallingConfig": want}
    assert losses == ()


def test_strict_tools_hold_the_model_to_their_schemas() -> None:
    written, losses = write(tools=[STRICT])
    assert written["toolConfig"] == {"functionCallingConfig": {"mode": "VALIDATED"}}
    assert losses == ()
    written, losses = write(tools=[STRICT], traits=traits_of("gemini-2.0-flash"))
    assert "toolConfig" not in written
    assert losses == ("tools[0].strict",)


def test_a_choice_among_no_functions_is_lost() -> None:
    written, losses = write(tool_choice=ToolChoice("required", at="tool_choice"))
    assert "toolConfig" not in written
    assert losses == ("tool_choice",)


def test_the_form_of_the_answer() -> None:
    form = Format("json_schema", name="n", schema=Raw(b'{"type":"object"}'), strict=True, at="f")
    written, losses = write(format=form)
    assert written["generationConfig"] == {
        "responseMimeType": "application/json",
        "responseJsonSchema": {"type": "object"},
    }
    assert losses == ("f.name",)


# ---------------------------------------------------------------- thinking


@pytest.mark.parametrize(
    ("model", "wish", "config", "losses"),
    [
        ("gemini-2.5-pro", {"budget": 999_999}, (32768, True), ("r.budget(999999>32768)",)),
        ("gemini-2.5-pro", {"effort": "low"}, (4096, True), ("r.effort(low>4096)",)),
        ("gemini-2.5-pro", {"effort": "none"}, (128, None), ("r.effort(none>128)",)),
        ("gemini-2.5-pro", {"enabled": False}, (128, None), ("r.enabled(false>128)",)),
        ("gemini-2.5-pro", {"enabled": True}, (-1, True), ()),
        ("gemini-2.5-flash", {"effort": "none", "enabled": False}, (0, None), ()),
        ("gemini-2.5-flash-lite", {"budget": 100}, (512, True), ("r.budget(100>512)",)),
        ("gemini-2.5-flash", {"budget": 100, "shown": False}, (100, False), ()),
        ("gemini-2.5-flash", {"budget": 100, "summary": "auto"}, (100, True), ("r.summary",)),
        ("gemini-3-pro-preview", {"effort": "high"}, ("HIGH", True), ()),
        ("gemini-3-pro-preview", {"effort": "medium"}, ("HIGH", True), ("r.effort(medium>high)",)),
        ("gemini-3-pro-preview", {"effort": "none"}, ("LOW", None), ("r.effort(none>low)",)),
        ("gemini-3-flash-preview", {"effort": "minimal"}, ("MINIMAL", True), ()),
        ("gemini-3.1-pro-preview", {"effort": "max"}, ("HIGH", True), ("r.effort(max>high)",)),
        ("gemini-3.1-pro-preview", {"budget": 9000}, ("MEDIUM", True), ("r.budget(9000>medium)",)),
        ("gemini-2.0-flash", {"effort": "high"}, None, ("r.effort",)),
        ("gemini-2.0-flash", {"effort": "none", "enabled": False}, None, ()),
    ],
)
def test_thinking_by_family(model: str, wish: Any, config: Any, losses: tuple[str, ...]) -> None:
    written, found = write(reasoning=ReasoningWish(at="r", **wish), traits=traits_of(model))
    assert found == losses
    if config is None:
        assert "generationConfig" not in written
        return
    amount, shown = config
    name = "thinkingLevel" if isinstance(amount, str) else "thinkingBudget"
    want = {name: amount, **({} if shown is None else {"includeThoughts": shown})}
    assert written["generationConfig"]["thinkingConfig"] == want
