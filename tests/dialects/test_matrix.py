"""Every recorded reply, served to callers of every other dialect, as their SDKs understand it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anthropic
import openai
import pytest

from .callers import CALLERS, RESULT
from .recorded import ACCOUNTS, body, broken_off, events, load, replies, told

if TYPE_CHECKING:
    from .callers import Caller
    from .conftest import Setup
    from .recorded import Told

REPLIES = replies()
if not REPLIES:
    pytest.skip("there is no recorded vendor traffic to replay", allow_module_level=True)

pytestmark = [pytest.mark.recorded, pytest.mark.asyncio(loop_scope="module")]


def combinations(*, stream: bool | None = None) -> list[Any]:
    """Return each reply with each caller that needs it translated."""
    return [
        pytest.param(caller, file, id=f"{file}-{caller.dialect}")
        for file in replies(stream=stream)
        for caller in CALLERS
        if caller.dialect != load(file)["dialect"]
    ]


def model(recorded: Any) -> str:
    return f"{ACCOUNTS[recorded['dialect']]}/{recorded['model']}"


def same(got: Told, want: Told, caller: Caller) -> None:
    """Compare all but ids, which a vendor may leave to us."""
    assert got.text == want.text
    assert "".join(got.thoughts.split()) == "".join(want.thoughts.split())
    assert got.calls == want.calls
    assert got.finish == want.finish
    # what Anthropic cites is a page, unless it is a document of the request
    urls = [url for url in want.sources if url or caller.dialect != "anthropic"]
    assert got.sources == urls
    usage = want.usage
    if not usage and caller.dialect == "anthropic":  # where counts are never left out
        usage = {"input": 0, "output": 0}
    assert got.usage == {n: c for n, c in usage.items() if n in CLASSES[caller.dialect]}


CLASSES = {
    "openai-chat": ("input", "output", "cache_read", "reasoning"),
    "openai-responses": ("input", "output", "cache_read", "reasoning"),
    "anthropic": ("input", "output", "cache_read", "cache_write"),
}
"""The classes of tokens that each dialect can tell apart."""


@pytest.mark.parametrize(("caller", "file"), combinations())
async def test_an_answer_says_what_was_recorded(setup: Setup, caller: Caller, file: str) -> None:
    recorded = load(file)
    want = told(recorded)
    setup.answer(body(recorded), recorded["content_type"])
    answer = await caller.ask(setup, model(recorded), recorded["stream"])
    got = caller.told(answer)
    same(got, want, caller)
    assert len(set(got.ids)) == len(got.ids)
    assert [id_ for id_ in got.ids if id_] == got.ids
    named = [id_ for id_ in want.ids if id_]
    assert got.ids == named or not named
    if got.calls:
        await _goes_on(setup, caller, recorded, answer, got)


async def _goes_on(setup: Setup, caller: Caller, recorded: Any, answer: Any, said: Told) -> None:
    """Send the calls back with results, and see what the vendor gets."""
    await caller.ask(setup, model(recorded), recorded["stream"], *caller.turns(answer))
    asked, answered = pairs(setup.sent, recorded["dialect"])
    assert [name for _, name, _ in asked] == [name for name, _ in said.calls]
    assert [arguments for *_, arguments in asked] == [arguments for _, arguments in said.calls]
    assert [id_ for id_, *_ in asked] == answered
    assert len(set(answered)) == len(answered)
    assert RESULT in json.dumps(setup.sent)


def pairs(sent: Any, dialect: str) -> tuple[list[tuple[str, str, Any]], list[str]]:
    """Return the calls in a request, and the ids of its results."""
    asked: list[tuple[str, str, Any]] = []
    answered: list[str] = []
    match dialect:
        case "anthropic":
            for block in _blocks(sent["messages"], "content"):
                if block["type"] == "tool_use":
                    asked.append((block["id"], block["name"], block["input"]))
                elif block["type"] == "tool_result":
                    answered.append(block["tool_use_id"])
        case "bedrock":
            for block in _blocks(sent["messages"], "content"):
                if "toolUse" in block:
                    call = block["toolUse"]
                    asked.append((call["toolUseId"], call["name"], call["input"]))
                elif "toolResult" in block:
                    answered.append(block["toolResult"]["toolUseId"])
        case "gemini":
            # this vendor pairs by name and order
            for part in _blocks(sent["contents"], "parts"):
                if "functionCall" in part:
                    call = part["functionCall"]
                    asked.append((f"{call['name']}{len(asked)}", call["name"], call["args"]))
                elif "functionResponse" in part:
                    answered.append(f"{part['functionResponse']['name']}{len(answered)}")
        case "openai-responses":
            for item in sent["input"]:
                if item.get("type") == "function_call":
                    arguments = json.loads(item["arguments"])
                    asked.append((item["call_id"], item["name"], arguments))
                elif item.get("type") == "custom_tool_call":
                    asked.append((item["call_id"], item["name"], {"input": item["input"]}))
                elif item.get("type") in ("custom_tool_call_output", "function_call_output"):
                    answered.append(item["call_id"])
        case _:
            for message in sent["messages"]:
                for call in message.get("tool_calls") or ():
                    function = call["function"]
                    arguments = json.loads(function["arguments"] or "{}")
                    asked.append((call["id"], function["name"], arguments))
                if message["role"] == "tool":
                    answered.append(message["tool_call_id"])
    return asked, answered


def _blocks(turns: list[Any], name: str) -> list[Any]:
    return [block for turn in turns if isinstance(turn[name], list) for block in turn[name]]


@pytest.mark.parametrize(("caller", "file"), combinations(stream=True))
async def test_single_bytes_say_the_same(setup: Setup, caller: Caller, file: str) -> None:
    recorded = load(file)
    data = body(recorded)
    setup.answer(data, recorded["content_type"], piece=1 if len(data) < 6000 else 7)
    got = caller.told(await caller.ask(setup, model(recorded), True))
    same(got, told(recorded), caller)


@pytest.mark.parametrize(("caller", "file"), combinations(stream=True))
async def test_a_cut_is_no_end(setup: Setup, caller: Caller, file: str) -> None:
    """Wherever the vendor's stream is cut, the SDK raises, or has got all that was said."""
    recorded = load(file)
    data, want = body(recorded), told(recorded)
    raised = 0
    for cut in (1, *range(97, len(data), len(data) // 9), len(data) - 30, len(data) - 1):
        setup.answer(data[:cut], recorded["content_type"], cut=True)
        try:
            got = caller.told(await caller.ask(setup, model(recorded), True))
        except (openai.APIError, anthropic.APIError):
            raised += 1
            continue
        assert (got.text, got.calls, got.finish) == (want.text, want.calls, want.finish), cut
    assert raised >= 4


@pytest.mark.parametrize("caller", CALLERS, ids=lambda caller: caller.dialect)
@pytest.mark.parametrize("file", broken_off())
async def test_a_failure_that_the_vendor_tells_is_told(
    setup: Setup, caller: Caller, file: str
) -> None:
    recorded = load(file)
    data = body(recorded)
    (error,) = [event["error"] for event in events(data) if "error" in event]
    setup.answer(data, recorded["content_type"])
    if caller.dialect == "openai-responses":  # here it is an event, at which the SDK stops in peace
        async with setup.openai.responses.stream(model=model(recorded), input="Hi") as stream:
            *_, last = [event async for event in stream]
        assert last.type == "response.failed"
        assert last.response.error is not None
        assert last.response.error.message == error["message"]
        return
    with pytest.raises((openai.APIError, anthropic.APIError), match=error["message"][:30]):
        await caller.ask(setup, model(recorded), True)
