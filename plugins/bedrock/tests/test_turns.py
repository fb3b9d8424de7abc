"""Messages of any order as Converse's alternating turns."""

from __future__ import annotations

import pytest

from gomodel_proxy.api import InvalidRequest, Losses
from gomodel_proxy.api.chat import ChatRequest, Citation, Message, Text
from gomodel_proxy_bedrock.codec import ConverseCodec

from .written import NOVA, calls, result, tool, user, write

TOOLS = [tool("look"), tool("find")]


def test_a_system_prompt_stands_apart() -> None:
    out, losses = write([{"role": "system", "content": "Be brief."}, user_text("Hi")])
    assert out["system"] == [{"text": "Be brief."}]
    assert out["messages"] == [{"role": "user", "content": [{"text": "Hi"}]}]
    assert losses == []


def user_text(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def test_a_later_system_message_goes_to_the_prompt_and_is_noted() -> None:
    out, losses = write([user_text("Hi"), {"role": "developer", "content": "Now in Latin."}])
    assert out["system"] == [{"text": "Now in Latin."}]
    assert losses == ["messages[1].role(developer>system prompt)"]


def test_a_model_without_system_prompt_is_told_by_the_user() -> None:
    messages = [{"role": "system", "content": "Be brief."}, user_text("Hi")]
    out, losses = write(messages, "mistral.mistral-7b-instruct-v0:2")
    assert "system" not in out
    assert out["messages"][0]["content"] == [{"text": "Be brief."}, {"text": "Hi"}]
    assert losses == ["messages(system>user)"]


def test_a_prompt_alone_is_asked() -> None:
    out, _ = write([{"role": "system", "content": "Greet."}])
    assert out["messages"] == [{"role": "user", "content": [{"text": "Greet."}]}]


def test_turns_alternate() -> None:
    out, _ = write([user_text("a"), user_text("b"), assistant("c"), assistant("d"), user_text("e")])
    assert [message["role"] for message in out["messages"]] == ["user", "assistant", "user"]
    assert out["messages"][1]["content"] == [{"text": "c"}, {"text": "d"}]


def assistant(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


def test_turns_around_one_that_says_nothing_become_one() -> None:
    out, losses = write([user_text("a"), assistant("  "), user_text("b")])
    assert out["messages"] == [{"role": "user", "content": [{"text": "a"}, {"text": "b"}]}]
    assert losses == ["messages[1].content"]


def test_a_user_begins() -> None:
    out, losses = write([assistant("Welcome."), user_text("Hi")])
    assert [message["role"] for message in out["messages"]] == ["user", "assistant", "user"]
    assert losses == ["messages[0](first>second)"]


def test_results_stand_first_in_the_next_turn() -> None:
    messages = [
        user_text("Hi"),
        calls(("c1", "look", '{"a":1}'), ("c2", "find", ""), content="Well"),
        result("c2", "two"),
        user_text("Go on"),
        result("c1", "one"),
    ]
    out, losses = write(messages, tools=TOOLS)
    assert losses == []
    assert out["messages"][1]["content"] == [
        {"text": "Well"},
        {"toolUse": {"toolUseId": "c1", "name": "look", "input": {"a": 1}}},
        {"toolUse": {"toolUseId": "c2", "name": "find", "input": {}}},
    ]
    assert out["messages"][2]["content"] == [
        {"toolResult": {"toolUseId": "c2", "content": [{"text": "two"}]}},
        {"toolResult": {"toolUseId": "c1", "content": [{"text": "one"}]}},
        {"text": "Go on"},
    ]


@pytest.mark.parametrize(
    ("messages", "param"),
    [
        ([result("c1", "one")], "messages[0]"),
        ([user_text("a"), calls(("c1", "look", "{}"))], None),  # the answer is still to come
        (
            [user_text("a"), calls(("c1", "look", "{}")), user_text("b")],
            "messages[1].tool_calls[0]",
        ),
        (
            [user_text("a"), calls(("c1", "look", "{}")), result("c1", "1"), result("c1", "2")],
            "messages[3]",
        ),
        (
            [user_text("a"), calls(("c1", "look", "[1]")), result("c1", "1")],
            "messages[1].tool_calls[0]",
        ),
        ([user_text("")], "messages"),
        ([user(), user()], "messages"),
    ],
)
def test_impossible_orders_are_refused_by_place(messages: object, param: str | None) -> None:
    if param is None:
        write(messages, tools=TOOLS)
        return
    with pytest.raises(InvalidRequest) as refused:
        write(messages, tools=TOOLS)
    assert (refused.value.param or "").startswith(param)


def test_a_citation_without_words_here_is_noted_where_the_caller_has_it() -> None:
    cited = Text("Green.", citations=[Citation(file_id="f", at="there")])
    request = ChatRequest("m", [Message("user", [Text("Hi")]), Message("assistant", [cited])])
    losses = Losses()
    ConverseCodec().write_request(request, traits={}, losses=losses)
    assert losses.found == ("there",)


def test_ids_are_brought_into_form_and_still_pair_up() -> None:
    long = "call_" + "x" * 100
    messages = [
        user_text("Hi"),
        calls((long, "look", "{}"), ("a|b", "look", "{}")),
        result(long, "1"),
        result("a|b", "2"),
    ]
    out, losses = write(messages, NOVA, tools=TOOLS)
    made = [block["toolUse"]["toolUseId"] for block in out["messages"][1]["content"]]
    answered = [block["toolResult"]["toolUseId"] for block in out["messages"][2]["content"]]
    assert made == answered
    assert made[1] == "a_b"
    assert len(made[0]) == 64
    assert [loss.partition("(")[0] for loss in losses] == [
        "messages[1].tool_calls[0].id",
        "messages[1].tool_calls[1].id",
    ]
