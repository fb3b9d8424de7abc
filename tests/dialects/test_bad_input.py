"""What makes no sense is a 400 in the caller's dialect, naming the place, and nobody is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import aiohttp
import pytest

from .recorded import ACCOUNTS

if TYPE_CHECKING:
    from .conftest import Setup

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Bad(NamedTuple):
    """A body, and the place that an error must name."""

    body: dict[str, Any]
    place: str


def chat(*messages: Any) -> dict[str, Any]:
    return {"messages": list(messages)}


def chat_call(arguments: str = "{}") -> dict[str, Any]:
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": arguments}}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


def claude(*messages: Any) -> dict[str, Any]:
    return {"max_tokens": 9, "messages": list(messages)}


def claude_result(id_: str) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": id_, "content": "x"}


def items(*given: Any) -> dict[str, Any]:
    return {"input": list(given)}


def contents(*given: Any) -> dict[str, Any]:
    return {"contents": list(given)}


USER = {"role": "user", "content": "Hi"}
HOLOGRAM = {"role": "user", "content": [{"type": "hologram"}]}
RESULT = {"role": "tool", "tool_call_id": "c1", "content": "x"}
USED = {
    "role": "assistant",
    "content": [{"type": "tool_use", "id": "c1", "name": "f", "input": {}}],
}
CALL = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "c1", "output": "x"}
ASKS = {"role": "user", "parts": [{"text": "Hi"}]}
CALLS = {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}}]}
ANSWER = {"functionResponse": {"name": "f", "response": {"output": "x"}}}

BAD = {
    "openai-chat": {
        "unknown part": Bad(chat(USER, HOLOGRAM), "messages[1].content[0]"),
        "result without call": Bad(chat(USER, RESULT), "messages[1]"),
        "second result": Bad(chat(USER, chat_call(), RESULT, RESULT), "messages[3]"),
        "arguments": Bad(chat(USER, chat_call("{oops"), RESULT), "messages[1].tool_calls[0]"),
        "empty": Bad(chat(), "messages"),
    },
    "anthropic": {
        "unknown part": Bad(claude(USER, HOLOGRAM), "messages[1].content[0]"),
        "result without call": Bad(
            claude({"role": "user", "content": [claude_result("c1")]}), "messages[0].content[0]"
        ),
        "second result": Bad(
            claude(USER, USED, {"role": "user", "content": [claude_result("c1")] * 2}),
            "messages[2].content[1]",
        ),
        "empty": Bad(claude(), "messages"),
    },
    "openai-responses": {
        "unknown part": Bad(items(USER, HOLOGRAM), "input[1].content[0]"),
        "result without call": Bad(items(USER, OUTPUT), "input[1]"),
        "second result": Bad(items(USER, CALL, OUTPUT, OUTPUT), "input[3]"),
        "arguments": Bad(items(USER, {**CALL, "arguments": "{oops"}, OUTPUT), "input[1]"),
        "empty": Bad(items(), "input"),
    },
    "gemini": {
        "unknown part": Bad(
            contents(ASKS, {"role": "user", "parts": [{"hologram": {}}]}), "contents[1].parts[0]"
        ),
        "result without call": Bad(
            contents({"role": "user", "parts": [ANSWER]}), "contents[0].parts[0].functionResponse"
        ),
        "second result": Bad(
            contents(ASKS, CALLS, {"role": "user", "parts": [ANSWER] * 2}),
            "contents[2].parts[1].functionResponse",
        ),
        "empty": Bad(contents(), "contents"),
    },
}
PATHS = {
    "openai-chat": "/v1/chat/completions",
    "openai-responses": "/v1/responses",
    "anthropic": "/v1/messages",
}
CASES = [
    pytest.param(caller, account, bad, id=f"{caller}-{account}-{name}")
    for caller, cases in BAD.items()
    for dialect, account in ACCOUNTS.items()
    if dialect != caller
    for name, bad in cases.items()
    # OpenAI's dialects have arguments as text, which may be what a model wrote amiss
    if name != "arguments" or account not in ("chat", "resp")
]


@pytest.mark.parametrize(("caller", "account", "bad"), CASES)
async def test_it_is_refused_by_its_place(
    setup: Setup, caller: str, account: str, bad: Bad
) -> None:
    setup.answer(b"{}", "application/json")
    before = setup.count
    path = PATHS.get(caller, f"/v1beta/models/{account}/any:generateContent")
    body = bad.body if caller == "gemini" else {"model": f"{account}/any", **bad.body}
    async with aiohttp.ClientSession() as web, web.post(setup.url + path, json=body) as response:
        said = await response.json()
        assert response.status == 400, said
    assert setup.count == before
    error = said["error"]
    assert f"'{bad.place}'" in error["message"]
    match caller:
        case "anthropic":
            assert (said["type"], error["type"]) == ("error", "invalid_request_error")
        case "gemini":
            assert (error["code"], error["status"]) == (400, "INVALID_ARGUMENT")
        case _:
            assert (error["type"], error["param"]) == ("invalid_request_error", bad.place)
