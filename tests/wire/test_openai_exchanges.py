"""Recorded exchanges of both of OpenAI's dialects, served to callers of the other one.

What a recording says is read by a plain JSON parser; what comes out must say the same.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from gomodel_proxy.api import Losses
from gomodel_proxy.testing.losslessness import silent_losses
from gomodel_proxy.wire.hub import Hub
from gomodel_proxy.wire.openai_chat_codec import ChatCodec
from gomodel_proxy.wire.openai_responses_codec import ResponsesCodec
from gomodel_proxy.wire.sse import Cutter

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parents[2].parent / "shared" / "recorded"
CHAT, RESPONSES = ChatCodec(), ResponsesCodec()
TRAITS = {"thoughts_member": "reasoning_content", "plain_thoughts": True, "tool_media": True}

pytestmark = [
    pytest.mark.recorded,
    pytest.mark.skipif(not FOLDER.is_dir(), reason="no recorded traffic: ../shared/recorded"),
]


class Said(NamedTuple):
    """What a reply says, in whatever dialect."""

    model: str
    text: str = ""
    refusal: str = ""
    reasoning: str = ""
    calls: tuple[tuple[str, str, str], ...] = ()
    sources: tuple[str, ...] = ()
    ended: str = "stop"
    usage: tuple[int, ...] | None = None


class Recording:
    """One exchange."""

    def __init__(self, file: Path) -> None:
        told = json.loads(file.read_text())
        self.chat = told["dialect"] == "openai-chat"
        self.body: bytes = told["body"].encode()
        self.ok = told["status"] == 200
        self.stream = told["content_type"].startswith("text/event-stream")
        self.request = json.dumps(told["request"] or self.minimal()).encode()
        self.codec = CHAT if self.chat else RESPONSES
        self.other = RESPONSES if self.chat else CHAT

    @property
    def waits(self) -> bool:
        """Whether this is the answer to a request that is worked on in the background."""
        return not self.stream and json.loads(self.body).get("status") == "queued"

    def minimal(self) -> dict[str, Any]:
        said = {"role": "user", "content": "Hi"}
        return {"model": "m", "messages" if self.chat else "input": [said]}

    def objects(self) -> Iterator[dict[str, Any]]:
        return objects(self.body) if self.stream else iter([json.loads(self.body)])

    def asked(self) -> bytes:
        """Return the request as a caller of the other dialect would have written it."""
        return Hub(self.codec, self.other).begin(self.request, "m", TRAITS).body

    def said(self) -> Said:
        if not self.chat:
            *_, last = self.objects()
            return of_response(last["response"] if self.stream else last)
        return of_chunks(self.objects()) if self.stream else of_completion(next(self.objects()))


def objects(body: bytes) -> Iterator[dict[str, Any]]:
    for line in body.decode().split("\n"):
        if line.startswith("data: {"):
            yield json.loads(line.removeprefix("data: "))


def recordings(*, stream: bool | None = None, ok: bool = True) -> list[Any]:
    files = sorted([*FOLDER.glob("*/openai-chat*.json"), *FOLDER.glob("*/openai-resp*.json")])
    every = ((file, Recording(file)) for file in files)
    return [
        pytest.param(each, id=f"{file.parent.name}/{file.stem[-40:]}")
        for file, each in every
        if each.ok is ok and stream in (None, each.stream) and not each.waits
    ]


# ---------------------------------------------------------------- what is said


def of_completion(reply: dict[str, Any]) -> Said:
    choice = reply["choices"][0]
    return of_message(reply, choice["message"], choice["finish_reason"])


def of_message(reply: dict[str, Any], message: dict[str, Any], finish: str | None) -> Said:
    content = message.get("content") or ""
    thought = message.get("reasoning_content") or message.get("reasoning") or ""
    if isinstance(content, list):  # as one vendor writes thoughts
        thought = "".join(piece["text"] for part in content for piece in part.get("thinking") or ())
        content = "".join(part.get("text", "") for part in content)
    calls = [(call["id"], call["function"]) for call in message.get("tool_calls") or ()]
    notes = [note.get("url_citation") for note in message.get("annotations") or ()]
    return Said(
        model=reply["model"],
        text=content,
        refusal=message.get("refusal") or "",
        reasoning=thought,
        calls=tuple((id_, each["name"], each["arguments"] or "{}") for id_, each in calls),
        sources=tuple(note["url"] for note in notes if note),
        ended="stop" if finish == "tool_calls" else finish or "stop",
        usage=counts(reply.get("usage")),
    )


def of_chunks(chunks: Iterator[dict[str, Any]]) -> Said:
    message: dict[str, Any] = {}
    calls: dict[int, dict[str, Any]] = {}
    finish, usage = None, None
    head: dict[str, Any] = {}
    for chunk in chunks:
        head = head or chunk
        usage = chunk.get("usage") or usage
        for choice in chunk.get("choices") or ():
            finish = choice.get("finish_reason") or finish
            delta = choice.get("delta") or {}
            for name in ("content", "refusal", "reasoning_content", "reasoning"):
                if isinstance(delta.get(name), str):
                    message[name] = message.get(name, "") + delta[name]
            message.setdefault("annotations", []).extend(delta.get("annotations") or ())
            for call in delta.get("tool_calls") or ():
                made = calls.setdefault(call["index"], {"function": {"arguments": ""}})
                made.setdefault("id", call.get("id"))
                made["function"].setdefault("name", call["function"].get("name"))
                made["function"]["arguments"] += call["function"].get("arguments") or ""
    message["tool_calls"] = list(calls.values())
    return of_message({**head, "usage": usage}, message, finish)


def of_response(reply: dict[str, Any]) -> Said:
    items = reply["output"]
    content = [part for item in items if item["type"] == "message" for part in item["content"]]
    notes = [note for part in content for note in part.get("annotations") or ()]
    thoughts = [item for item in items if item["type"] == "reasoning"]
    thought = "".join(
        "".join(part["text"] for part in item.get("content") or ())
        or "\n\n".join(part["text"] for part in item["summary"])
        for item in thoughts
    )
    calls = [item for item in items if item["type"] == "function_call"]
    reasons = {"max_output_tokens": "length"}
    reason = (reply.get("incomplete_details") or {}).get("reason")
    return Said(
        model=reply["model"],
        text="".join(part.get("text", "") for part in content),
        refusal="".join(part.get("refusal", "") for part in content),
        reasoning=thought,
        calls=tuple((call["call_id"], call["name"], call["arguments"]) for call in calls),
        sources=tuple(note["url"] for note in notes),
        ended="stop" if reason is None else reasons.get(reason, reason),
        usage=counts(reply.get("usage")),
    )


def counts(usage: dict[str, Any] | None) -> tuple[int, ...] | None:
    """Return input, output, cached and reasoning tokens; one vendor counts the last apart."""
    if not usage:
        return None
    taken = usage.get("prompt_tokens_details") or usage.get("input_tokens_details") or {}
    given = usage.get("completion_tokens_details") or usage.get("output_tokens_details") or {}
    cached = taken.get("cached_tokens", usage.get("cached_tokens", usage.get("num_cached_tokens")))
    thought: int = given.get("reasoning_tokens") or 0
    read: int = usage.get("prompt_tokens") or usage["input_tokens"]
    wrote: int = usage.get("completion_tokens") or usage["output_tokens"]
    apart = usage["total_tokens"] == read + wrote + thought
    return (read, wrote + thought if apart else wrote, cached or 0, thought)


# ---------------------------------------------------------------- tests


@pytest.mark.parametrize("recording", recordings(stream=False))
def test_replies(recording: Recording) -> None:
    passage = Hub(recording.other, recording.codec).begin(recording.asked(), "m", TRAITS)
    reply = json.loads(passage.reply(recording.body).body)
    assert (of_response if recording.chat else of_completion)(reply) == recording.said()


def served(recording: Recording, size: int) -> bytes:
    asked = json.loads(recording.asked()) | {"stream": True}
    if not recording.chat:
        asked["stream_options"] = {"include_usage": True}
    passage = Hub(recording.other, recording.codec).begin(json.dumps(asked).encode(), "m", TRAITS)
    stage, cutter, body = passage.stream(Losses()), Cutter(), recording.body
    out = []
    for start in range(0, len(body), size):
        whole = b"".join(event for event, _, _ in cutter.feed(body[start : start + size]))
        out.append(stage.feed(whole) if whole else b"")
    failed = any(each.get("error") for each in recording.objects())
    return b"".join(out) + (b"" if failed else stage.close())


@pytest.mark.parametrize("recording", recordings(stream=True))
def test_streams(recording: Recording) -> None:
    out = served(recording, 1)
    assert out == served(recording, 1_000_000)
    events = list(objects(out))
    if any(each.get("error") for each in recording.objects()):
        assert (events[-1].get("type"), "error" in events[-1]) in (
            ("response.failed", False),
            (None, True),
        )
        return
    if recording.chat:
        assert of_response(gathered(events)) == recording.said()
    else:
        assert of_chunks(iter(events)) == recording.said()
        assert out.endswith(b"data: [DONE]\n\n")


def gathered(events: list[dict[str, Any]]) -> dict[str, Any]:
    """Check that events are in order and add up to the response in the last one; return that."""
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert [event["type"] for event in events[:2]] == ["response.created", "response.in_progress"]
    assert events[-1]["type"] in ("response.completed", "response.incomplete")
    response: dict[str, Any] = events[-1]["response"]
    items: list[dict[str, Any]] = []
    for event in events[2:-1]:
        gather(event, items)
    assert items == response["output"]
    return response


def gather(event: dict[str, Any], items: list[dict[str, Any]]) -> None:
    kind, index = event["type"].removeprefix("response."), event["output_index"]
    if kind == "output_item.added":
        assert index == len(items)
        items.append(json.loads(json.dumps(event["item"])))
        return
    item = items[index]
    if kind == "output_item.done":
        for name in ("content", "summary", "arguments"):
            assert item.get(name) in (event["item"].get(name), None), name
        items[index] = event["item"]
        return
    assert event["item_id"] == item["id"]
    if kind == "content_part.added":
        assert event["content_index"] == len(item.setdefault("content", []))
        item["content"].append(event["part"])
    elif kind == "content_part.done":
        assert item["content"][event["content_index"]] == event["part"]
    elif kind in ("output_text.delta", "reasoning_text.delta"):
        item["content"][event["content_index"]]["text"] += event["delta"]
    elif kind == "function_call_arguments.delta":
        item["arguments"] += event["delta"]
    elif kind == "output_text.annotation.added":
        notes = item["content"][event["content_index"]]["annotations"]
        assert event["annotation_index"] == len(notes)
        notes.append(event["annotation"])
    elif kind in ("output_text.done", "reasoning_text.done"):
        assert item["content"][event["content_index"]]["text"] == event["text"]
    else:
        assert kind == "function_call_arguments.done"
        assert item["arguments"] == event["arguments"]


@pytest.mark.parametrize("recording", recordings() + recordings(ok=False))
def test_requests_there_and_back(recording: Recording) -> None:
    there = Hub(recording.codec, recording.other).begin(recording.request, "m", TRAITS)
    back = Hub(recording.other, recording.codec).begin(there.body, "m", TRAITS)
    request = json.loads(recording.request) | {"model": "m", "stream": None}
    request.pop("include", None)
    body = json.dumps(request).encode()
    agreed = ("input[].id", "input[].status", "n", "stream_options.include_usage")
    lost = silent_losses(body, back.body, (*there.losses, *back.losses), agreed=agreed)
    assert lost == []
