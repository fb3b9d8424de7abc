"""Nothing of a request is lost in silence: it is in the upstream body, or in the report."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gomodel_proxy.testing.losslessness import check, silent_losses
from gomodel_proxy.testing.made_chat import chat_requests
from gomodel_proxy.testing.made_responses import responses_requests
from gomodel_proxy.wire.openai_chat_codec import ChatCodec
from gomodel_proxy.wire.openai_responses_codec import ResponsesCodec

if TYPE_CHECKING:
    from gomodel_proxy.api import Losses
    from gomodel_proxy.api.chat import ChatRequest

CHAT, RESPONSES = ChatCodec(), ResponsesCodec()
IDS = ("input[].id", "input[].status")
"""Names of items, and that they are complete: they mean nothing outside their dialect."""

DETAILS = tuple(f"messages[].reasoning_details[].{name}" for name in ("id", "format"))
"""Likewise of thoughts."""

made = settings(max_examples=60, deadline=None)

chat_traits = st.sampled_from(
    (
        {},
        {"fixed_sampling": True, "max_tokens_member": "max_completion_tokens"},
        {"thoughts_member": "reasoning_content", "reasoning_object": True},
        {"tool_media": True, "system_role": "developer"},
    )
)
responses_traits = st.sampled_from(
    (
        {},
        {"fixed_sampling": True, "encrypted_reasoning": True},
        {"plain_thoughts": True, "system_role": "developer", "min_output_tokens": 1050},
    )
)


@made
@given(chat_requests(), responses_traits)
def test_chat_to_responses(body: bytes, traits: dict[str, Any]) -> None:
    check(CHAT, RESPONSES, body, traits, agreed=[*DETAILS, "logprobs"])  # ``include`` asks for them


@made
@given(responses_requests(), chat_traits)
def test_responses_to_chat(body: bytes, traits: dict[str, Any]) -> None:
    check(RESPONSES, CHAT, body, traits, agreed=IDS)


@made
@given(chat_requests(), chat_traits)
def test_chat_to_chat(body: bytes, traits: dict[str, Any]) -> None:
    check(CHAT, CHAT, body, traits, agreed=DETAILS)


@made
@given(responses_requests(), responses_traits)
def test_responses_to_responses(body: bytes, traits: dict[str, Any]) -> None:
    check(RESPONSES, RESPONSES, body, traits, agreed=IDS)


class Forgetful(ChatCodec):
    """Drops what it is told to, and says nothing."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def write_request(self, request: ChatRequest, *, traits: Any, losses: Losses) -> bytes:
        for name in self.names:
            setattr(request, name, None)
        return super().write_request(request, traits=traits, losses=losses)


@pytest.mark.parametrize("name", ["temperature", "seed", "user", "store", "metadata"])
def test_a_codec_that_forgets_is_found_out(name: str) -> None:
    body = {
        "model": "m",
        "messages": [{"role": "user", "content": "Hi"}],
        "temperature": 0.25,
        "seed": 7,
        "user": "me",
        "store": False,
        "metadata": {"a": "b"},
    }
    check(CHAT, CHAT, json.dumps(body).encode(), {})
    with pytest.raises(AssertionError, match=f"without a word: .*{name}"):
        check(CHAT, Forgetful(name), json.dumps(body).encode(), {})


@pytest.mark.parametrize(
    ("body", "written", "losses", "lost"),
    [
        ({"a": {"b": ["x"]}}, {}, ["a.b"], []),
        ({"a": {"b": ["x"]}}, {}, ["a.b[0](x>y)"], []),
        ({"a": {"b": ["x", "y"]}}, {}, ["a.b[0]"], ["a.b[1]"]),
        ({"a": "x"}, {"z": "<x>"}, [], []),
        ({"a": "x"}, {"x": "z"}, [], ["a"]),
        ({"ab": "x"}, {}, ["a"], ["ab"]),
        ({"a": 7}, {"z": 7.0}, [], []),
        ({"a": 1}, {"z": True}, [], ["a"]),
        ({"a": True}, {"z": True}, [], ["a"]),
        ({"a": None}, {}, [], []),
        ({"a": {"type": "x", "b": 1}}, {"b": 1}, [], []),
        ({"a": {"type": "x"}}, {}, [], ["a.type"]),
        ({"a": '{"b": "x"}'}, {"z": {"b": "x"}}, [], []),
        ({"a": {"b": "x"}}, {"z": '{"b": "x"}'}, [], []),
        ({"a": "data:image/png;base64,QQ=="}, {"t": "image/png", "d": "QQ=="}, [], []),
        ({"a": "data:image/png;base64,QQ=="}, {"d": "QQ=="}, [], ["a"]),
    ],
)
def test_what_counts_as_lost(body: Any, written: Any, losses: list[str], lost: list[str]) -> None:
    found = silent_losses(json.dumps(body).encode(), json.dumps(written).encode(), losses)
    assert found == lost


def test_agreed_places_may_vanish() -> None:
    body = b'{"input":[{"id":"x"},{"id":"y","n":1}]}'
    assert silent_losses(body, b"{}", (), agreed=("input[].id",)) == ["input[1].n"]
