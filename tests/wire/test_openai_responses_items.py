"""Items to messages and back: turns, their order, and what only this dialect can say."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw

from gomodel_proxy.api import InvalidRequest, Losses
from gomodel_proxy.api.chat import (
    ChatRequest,
    Citation,
    Media,
    Message,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from gomodel_proxy.wire.openai_responses_codec import ResponsesCodec

CODEC = ResponsesCodec()


def read(*items: Any, **more: Any) -> list[Message]:
    body = {"model": "m", "input": list(items), **more}
    return CODEC.read_request(json.dumps(body).encode()).messages


def write(*messages: Message, **traits: Any) -> tuple[list[Any], tuple[str, ...]]:
    losses = Losses()
    request = ChatRequest("m", list(messages))
    written = json.loads(CODEC.write_request(request, traits=traits, losses=losses))
    return written["input"], losses.found


def again(*items: Any) -> list[Any]:
    found, losses = write(*read(*items))
    assert losses == ()
    return found


def user(text: str = "Hi") -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": text}


def said(text: str, **more: Any) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}]
    message = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed"}
    return {**message, "content": content, **more}


def call(id_: str = "c1", **more: Any) -> dict[str, Any]:
    return {"type": "function_call", "call_id": id_, "name": "f", "arguments": "{}", **more}


def result(id_: str = "c1", output: Any = "7", **more: Any) -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": id_, "output": output, **more}


THOUGHT = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [{"type": "summary_text", "text": "Hm"}],
    "encrypted_content": "gAAA",
}


def shape(messages: list[Message]) -> list[tuple[str, list[str]]]:
    return [(one.role, [type(part).__name__ for part in one.parts]) for one in messages]


@pytest.mark.parametrize(
    ("items", "turns"),
    [
        ([user()], [("user", ["Text"])]),
        ([user(), user()], [("user", ["Text"]), ("user", ["Text"])]),
        (
            [user(), THOUGHT, said("A"), call(id="fc_1"), result()],
            [
                ("user", ["Text"]),
                ("assistant", ["Reasoning", "Text", "ToolCall"]),
                ("tool", ["ToolResult"]),
            ],
        ),
        (
            [call("a"), call("b"), result("a"), result("b"), said("C")],
            [
                ("assistant", ["ToolCall", "ToolCall"]),
                ("tool", ["ToolResult"]),
                ("tool", ["ToolResult"]),
                ("assistant", ["Text"]),
            ],
        ),
        (
            [THOUGHT, said("A"), THOUGHT | {"id": "rs_2"}, said("B", id="msg_2")],
            [("assistant", ["Reasoning", "Text"]), ("assistant", ["Reasoning", "Text"])],
        ),
        ([said("A"), said("B")], [("assistant", ["Text"]), ("assistant", ["Text"])]),
        # A second message does not come between a call and its result.
        (
            [said("A"), call(), said("B"), result()],
            [("assistant", ["Text", "ToolCall", "Text"]), ("tool", ["ToolResult"])],
        ),
        (
            [user(), {"type": "web_search_call", "id": "ws_1", "status": "completed"}, said("A")],
            [("user", ["Text"]), ("assistant", ["Opaque", "Text"])],
        ),
        (
            [{"type": "shell_call", "call_id": "s"}, {"type": "shell_call_output", "call_id": "s"}],
            [("assistant", ["Opaque"]), ("user", ["Opaque"])],
        ),
    ],
)
def test_turns(items: list[Any], turns: list[tuple[str, list[str]]]) -> None:
    assert shape(read(*items)) == turns


@pytest.mark.parametrize(
    "items",
    [
        [user(), THOUGHT, said("A"), call(id="fc_1"), result(), said("B", id="msg_2")],
        [said("A", phase="commentary"), said("B", id="msg_2", phase="final_answer")],
        [call(namespace="n", id="fc_1"), result(id="fco_1", status="completed")],
        [
            {"type": "custom_tool_call", "call_id": "c", "name": "sql", "input": "SELECT 1"},
            {"type": "custom_tool_call_output", "call_id": "c", "output": "1"},
        ],
        [
            call(),
            result(output=[{"type": "input_image", "image_url": "https://a/", "detail": "low"}]),
        ],
        [{"type": "item_reference", "id": "msg_9"}, user()],
        [
            {"type": "mcp_call", "id": "mcp_1", "name": "n", "arguments": "{}", "output": "x"},
            user(),
        ],
        [said("A", content=[{"type": "refusal", "refusal": "No"}])],
        [{"type": "message", "role": "developer", "content": "Be brief"}, user()],
        [
            {
                "type": "message",
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "See", "prompt_cache_breakpoint": {}},
                    {"type": "input_image", "file_id": "file-1", "detail": "auto"},
                    {"type": "input_file", "file_url": "https://a/b.pdf"},
                    {"type": "input_file", "file_id": "file-2", "detail": "high"},
                    {
                        "type": "input_file",
                        "filename": "c.pdf",
                        "file_data": "data:application/pdf;base64,QQ==",
                    },
                    {"type": "input_audio", "input_audio": {"data": "QQ==", "format": "mp3"}},
                ],
            }
        ],
    ],
)
def test_read_and_written_again(items: list[Any]) -> None:
    assert again(*items) == items


def test_short_forms() -> None:
    messages = read(
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Ho"},
        {"id": "msg_7"},
    )
    assert shape(messages) == [("user", ["Text"]), ("assistant", ["Text", "Opaque"])]
    text = CODEC.read_request(b'{"model":"m","input":"Hi"}').messages
    assert text == [Message("user", [Text("Hi", at="input")], at="input")]
    assert CODEC.read_request(b'{"model":"m"}').messages == []


@pytest.mark.parametrize(
    ("item", "place"),
    [
        ({"type": "nonsense"}, "input[1]"),
        ({"content": "Hi"}, "input[1]"),
        ({"role": "user", "content": [{"type": "nonsense"}]}, "input[1].content[0]"),
        ({"role": "user", "content": [{"text": "x"}]}, "input[1].content[0].type"),
        ({"role": "user", "content": 7}, "input[1].content"),
        ({"role": "robot", "content": "x"}, "input[1].role"),
        ({"role": "user", "content": [{"type": "input_image"}]}, "input[1].content[0].image_url"),
        ({"role": "user", "content": [{"type": "input_file"}]}, "input[1].content[0].file_data"),
        ({"type": "function_call", "name": "f", "arguments": "{}"}, "input[1].call_id"),
        (
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": {}},
            "input[1].arguments",
        ),
        ({"type": "function_call_output", "output": "x"}, "input[1].call_id"),
        ({"type": "reasoning", "summary": "x"}, "input[1].summary"),
        ("text", "input[1]"),
    ],
)
def test_what_is_wrong_is_named(item: Any, place: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read(user(), item)
    assert caught.value.param == place
    assert f"'{place}'" in caught.value.message


def test_a_result_without_its_call_is_refused() -> None:
    with pytest.raises(InvalidRequest) as caught:
        write(*read(user(), result("lost")))
    assert caught.value.param == "input[1]"


def test_a_result_may_answer_a_call_that_the_vendor_keeps() -> None:
    body = {"model": "m", "input": [result("kept")], "previous_response_id": "resp_1"}
    request = CODEC.read_request(json.dumps(body).encode())
    written = json.loads(CODEC.write_request(request, traits={}, losses=Losses()))
    assert written["input"] == [result("kept")]


def test_results_follow_the_kind_of_their_call() -> None:
    calls: list[Part] = [ToolCall("c", "sql", "SELECT 1", "custom")]
    results: list[Part] = [ToolResult("c", [Text("1")], name="sql")]
    found, _ = write(Message("assistant", calls), Message("tool", results))
    assert [one["type"] for one in found] == ["custom_tool_call", "custom_tool_call_output"]
    assert "name" not in found[1]


def test_what_is_said_of_built_in_tools() -> None:
    items = [
        {"type": "mcp_call", "id": "m", "name": "ask", "arguments": '{"q":1}', "output": "42"},
        {
            "type": "code_interpreter_call",
            "id": "c",
            "code": "print(1)",
            "outputs": [{"type": "logs", "logs": "1"}, 7],
        },
        {"type": "file_search_call", "id": "f", "results": [{"filename": "a.md", "text": "Hi"}]},
        {"type": "shell_call_output", "call_id": "s", "output": [{"stdout": "ok", "stderr": ""}]},
        {"type": "local_shell_call_output", "id": "l", "output": "done"},
        {"type": "web_search_call", "id": "w", "status": "completed"},
    ]
    parts = [part for message in read(*items) for part in message.parts]
    assert [part.text for part in parts if isinstance(part, Opaque)] == [
        'ask({"q":1}) returned: 42',
        "Ran this code:\nprint(1)\nIt printed:\n1",
        "Found in files:\na.md: Hi",
        "ok",
        "done",
        "",
    ]


# ---------------------------------------------------------------- from other dialects


def test_the_proofs_of_others_are_reported() -> None:
    thought = Reasoning(
        "Hm", signature="s", dialect="anthropic.messages", at="messages[1].content[0]"
    )
    found, losses = write(Message("assistant", [thought, Text("A")], at="messages[1]"))
    assert found == [{"type": "message", "role": "assistant", "content": "A"}]
    assert losses == ("messages[1].content[0]",)


def test_plain_thoughts_go_to_those_who_take_them() -> None:
    message = Message("assistant", [Reasoning("Hm", dialect="openai.chat"), Text("A")])
    found, losses = write(message, plain_thoughts=True)
    assert found[0] == {
        "type": "reasoning",
        "summary": [],
        "content": [{"type": "reasoning_text", "text": "Hm"}],
    }
    assert losses == ()


def test_own_thoughts_from_a_caller_without_item_ids() -> None:
    thought = Reasoning(encrypted="gAAA", item="rs_1", dialect="openai.responses")
    found, losses = write(Message("assistant", [thought, Text("A")]))
    assert found[0] == {"type": "reasoning", "summary": [], "encrypted_content": "gAAA"}
    assert losses == ()


def test_the_models_words() -> None:
    found, losses = write(
        Message("assistant", [Text("A"), Text("B")]),
        Message("assistant", [Text("A"), Refusal("No")]),
    )
    assert found[0] == {"type": "message", "role": "assistant", "content": "AB"}
    assert [part["type"] for part in found[1]["content"]] == ["output_text", "refusal"]
    assert found[1]["id"].startswith("msg_")
    assert losses == ()


def test_what_the_model_showed_goes_back_as_the_users() -> None:
    image = Media("image", data="QQ==", media_type="image/png", at="m.content[0]")
    found, losses = write(Message("assistant", [image, Text("A")]))
    assert [one["role"] for one in found] == ["assistant", "user"]
    assert found[1]["content"][0]["image_url"] == "data:image/png;base64,QQ=="
    assert losses == ("m.content[0].role(assistant>user)",)


@pytest.mark.parametrize(
    "media",
    [
        Media("video", url="https://a/", at="x"),
        Media("audio", url="https://a/", at="x"),
        Media("image", at="x"),
    ],
)
def test_media_without_a_form_are_refused(media: Media) -> None:
    with pytest.raises(InvalidRequest) as caught:
        write(Message("user", [media]))
    assert caught.value.param == "x"


def test_opaque_parts_of_others() -> None:
    known = Opaque("acme", "search", raw=json_raw("{}"), text="Found it", at="a")
    unknown = Opaque("acme", "blob", raw=json_raw("{}"), at="b")
    found, losses = write(Message("user", [known, unknown, Text("Hi")]))
    assert found == [
        {
            "type": "message",
            "role": "user",
            "content": [
                {"type": "input_text", "text": "Found it"},
                {"type": "input_text", "text": "Hi"},
            ],
        }
    ]
    assert losses == ("a", "b")


def json_raw(text: str) -> Raw:
    return Raw(text.encode())


def test_the_system_role_is_a_trait() -> None:
    found, _ = write(Message("system", [Text("Be brief")]), system_role="developer")
    assert found == [{"type": "message", "role": "developer", "content": "Be brief"}]


def test_citations_of_own_words() -> None:
    note = {
        "type": "url_citation",
        "url": "https://a/",
        "title": "A",
        "start_index": 0,
        "end_index": 3,
    }
    file = {"type": "file_citation", "file_id": "file-1", "filename": "a.md", "index": 2}
    content = [
        {"type": "output_text", "text": "See A", "annotations": [note, file], "logprobs": []}
    ]
    items = [said("", content=content)]
    assert again(*items) == items
    (message,) = read(*items)
    text = message.parts[0]
    assert isinstance(text, Text)
    assert [(one.url, one.title, one.file_id, one.start, one.end) for one in text.citations] == [
        ("https://a/", "A", None, 0, 3),
        (None, "a.md", "file-1", 2, None),
    ]


def test_citations_of_others_words() -> None:
    text = Text(
        "See A",
        citations=[
            Citation(url="https://a/", title="A", cited="aaa", at="here"),
            Citation(at="there"),
        ],
    )
    (message,), losses = write(Message("assistant", [text]))
    assert message["content"][0]["annotations"] == [
        {
            "type": "url_citation",
            "url": "https://a/",
            "title": "A",
            "start_index": 0,
            "end_index": 5,
        }
    ]
    assert losses == ("here.cited", "there")
