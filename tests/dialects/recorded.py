"""Recorded traffic, and what each vendor's replies say, read without any of our codecs."""

from __future__ import annotations

import base64
import csv
import json
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.eventstream import EventStreamBuffer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RECORDED = Path(__file__).parents[3] / "shared" / "recorded"
ACCOUNTS = {
    "anthropic": "claude",
    "bedrock": "aws",
    "cohere": "co",
    "gemini": "google",
    "openai-chat": "chat",
    "openai-responses": "resp",
}
"""The account of the test's gateway that speaks each dialect."""


@dataclass
class Told:
    """What an answer says, in no dialect. ``calls`` are names and arguments, ``ids`` theirs."""

    text: str = ""
    thoughts: str = ""
    calls: list[tuple[str, Any]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    finish: str = ""
    sources: list[str | None] = field(default_factory=list)
    usage: dict[str, int] = field(default_factory=dict)

    def call(self, id_: str, name: str, arguments: str) -> None:
        """Add a call."""
        self.ids.append(id_)
        self.calls.append((name, json.loads(arguments or "{}")))


def tokens(taken: int, made: int, **classes: int | None) -> dict[str, int]:
    """Return usage without the classes that are empty."""
    found = {"input": taken, "output": made, **{n: c for n, c in classes.items() if c}}
    return {name: count for name, count in found.items() if count is not None}


@cache
def load(file: str) -> Any:
    """Return one recording."""
    return json.loads((RECORDED / file).read_text(encoding="utf-8"))


def files(*dialects: str) -> list[str]:
    """Return the recordings of these dialects, each once."""
    if not RECORDED.is_dir():
        return []
    with (RECORDED / "INDEX.tsv").open(encoding="utf-8") as index:
        rows = [row for row in csv.DictReader(index, delimiter="\t") if row["dialect"] in dialects]
    return sorted({row["file"] for row in rows})


def body(recording: Any) -> bytes:
    """Return what the vendor sent."""
    if "body_base64" in recording:
        return base64.b64decode(recording["body_base64"])
    sent: str = recording["body"]
    return sent.encode()


def replies(*, stream: bool | None = None) -> list[str]:
    """Return the recordings of answers: not refused, not put off, not broken off by an error."""
    found = []
    for file in files(*ACCOUNTS):
        one = load(file)
        put_off = one["dialect"] == "openai-responses" and '"status":"queued"' in one["body"]
        said = one["status"] == 200 and not put_off and not _broken_off(one)
        if said and stream in (None, one["stream"]):
            found.append(file)
    return found


def broken_off() -> list[str]:
    """Return the recordings of streams in which the vendor says that it failed."""
    return [file for file in files("openai-chat") if _broken_off(load(file))]


def _broken_off(recording: Any) -> bool:
    return recording["stream"] and "body" in recording and '"error":{' in recording["body"]


def told(recording: Any) -> Told:
    """Return what a recorded reply says."""
    return _READERS[recording["dialect"]](_whole(recording))


def _whole(recording: Any) -> Any:
    data = body(recording)
    if not recording["stream"]:
        return json.loads(data)
    return _ADDED[recording["dialect"]](data)


def events(data: bytes) -> Iterator[Any]:
    """Yield the values of a stream of server-sent events."""
    for line in data.decode().splitlines():
        if line.startswith("data:") and line[5:].strip() != "[DONE]":
            yield json.loads(line[5:])


# ---------------------------------------------------------------- streams, added up


def _messages_stream(data: bytes) -> Any:
    whole: Any = {}
    for event in events(data):
        match event["type"]:
            case "message_start":
                whole = event["message"]
            case "content_block_start":
                whole["content"].append(dict(event["content_block"]))
            case "content_block_delta":
                for name, more in event["delta"].items():
                    name = {"partial_json": "json"}.get(name, name)
                    block = whole["content"][event["index"]]
                    if name == "citation":
                        block["citations"] = [*(block.get("citations") or ()), more]
                    elif name != "type":
                        block[name] = (block.get(name) or "") + (more or "")
            case "message_delta":
                whole |= event["delta"]
                whole["usage"] |= event["usage"]
    return whole


def _chat_stream(data: bytes) -> Any:
    message: Any = defaultdict(str)
    calls: dict[int, Any] = {}
    whole: dict[str, Any] = {"choices": [{"message": message, "finish_reason": None}]}
    for event in events(data):
        named = event.get("usage") or (event.get("x_groq") or {}).get("usage")
        whole["usage"] = named or whole.get("usage")
        for choice in event["choices"]:
            whole["usage"] = choice.get("usage") or whole["usage"]
            reason = choice.get("finish_reason")
            whole["choices"][0]["finish_reason"] = reason or whole["choices"][0]["finish_reason"]
            for name, more in choice["delta"].items():
                if name == "content" and isinstance(more, list):
                    for part in more:
                        message["reasoning_content"] += "".join(
                            one["text"] for one in part.get("thinking", ())
                        )
                        message["content"] += part.get("text", "")
                elif name in ("content", "reasoning", "reasoning_content"):
                    message[name] += more or ""
                elif name == "annotations":
                    message[name] = [*(message.get(name) or []), *more]
            for call in choice["delta"].get("tool_calls") or []:
                begun = calls.setdefault(call["index"], {"id": "", "function": defaultdict(str)})
                begun["id"] = call.get("id") or begun["id"]
                for name, more in call["function"].items():
                    begun["function"][name] += more or ""
    message["tool_calls"] = list(calls.values())
    return whole


def _responses_stream(data: bytes) -> Any:
    ends = ("response.completed", "response.incomplete")
    (last,) = [event for event in events(data) if event["type"] in ends]
    return last["response"]


def _gemini_stream(data: bytes) -> Any:
    whole: dict[str, Any] = {"content": {"parts": []}, "finishReason": None}
    usage: Any = None
    for event in events(data):
        usage = event.get("usageMetadata", usage)
        (candidate,) = event["candidates"]
        whole["content"]["parts"] += candidate.get("content", {}).get("parts", [])
        whole |= {name: one for name, one in candidate.items() if name != "content"}
    return {"candidates": [whole], "usageMetadata": usage}


def _cohere_stream(data: bytes) -> Any:
    blocks: dict[int, dict[str, str]] = {}
    calls: dict[int, Any] = {}
    notes: list[Any] = []
    message: dict[str, Any] = {"tool_plan": ""}
    whole: dict[str, Any] = {"message": message}
    for event in events(data):
        said = event.get("delta", {}).get("message", {})
        match event["type"]:
            case "content-start":
                blocks[event["index"]] = dict(said["content"])
            case "content-delta":
                for name, more in said["content"].items():
                    block = blocks[event["index"]]
                    block[name] = block.get(name, "") + more
            case "tool-plan-delta":
                message["tool_plan"] += said["tool_plan"]
            case "tool-call-start":
                calls[event["index"]] = said["tool_calls"]
            case "tool-call-delta":
                more = said["tool_calls"]["function"]["arguments"]
                calls[event["index"]]["function"]["arguments"] += more
            case "citation-start":
                notes.append(said["citations"])
            case "message-end":
                whole |= event["delta"]
    message |= {"content": list(blocks.values()), "tool_calls": list(calls.values())}
    message["citations"] = notes
    return whole


def _bedrock_stream(data: bytes) -> Any:
    buffer = EventStreamBuffer()
    buffer.add_data(data)
    blocks: dict[int, Any] = {}
    whole: dict[str, Any] = {"output": {"message": {}}}
    for message in buffer:
        event = json.loads(message.payload)
        index = event.get("contentBlockIndex", 0)
        match message.headers[":event-type"]:
            case "contentBlockStart":
                blocks[index] = event["start"]
            case "contentBlockDelta" if "toolUse" in event["delta"]:
                call = blocks[index]["toolUse"]
                call["json"] = call.get("json", "") + event["delta"]["toolUse"]["input"]
            case "contentBlockDelta" if "reasoningContent" in event["delta"]:
                thought = blocks.setdefault(
                    index, {"reasoningContent": {"reasoningText": {"text": ""}}}
                )["reasoningContent"]["reasoningText"]
                thought["text"] += event["delta"]["reasoningContent"].get("text", "")
            case "contentBlockDelta" if "text" in event["delta"]:
                block = blocks.setdefault(index, {"text": ""})
                block["text"] += event["delta"]["text"]
            case "messageStop":
                whole["stopReason"] = event["stopReason"]
            case "metadata":
                whole["usage"] = event["usage"]
    whole["output"]["message"]["content"] = list(blocks.values())
    return whole


# ---------------------------------------------------------------- whole replies


def _messages(reply: Any) -> Told:
    out = Told()
    for block in reply["content"]:
        match block["type"]:
            case "text":
                out.text += block["text"]
                out.sources += [one.get("url") for one in block.get("citations") or ()]
            case "thinking":
                out.thoughts += block["thinking"]
            case "tool_use":
                made = block.get("json") or json.dumps(block["input"])
                out.call(block["id"], block["name"], made)
    out.finish = {
        "end_turn": "stop",
        "stop_sequence": "stop",
        "tool_use": "tool_calls",
        "max_tokens": "length",
        "model_context_window_exceeded": "length",
        "refusal": "content_filter",
        "pause_turn": "stop",
    }[reply["stop_reason"]]
    usage = reply["usage"]
    read = usage.get("cache_read_input_tokens", 0) or 0
    written = usage.get("cache_creation_input_tokens", 0) or 0
    taken = usage["input_tokens"] + read + written
    thought = (usage.get("output_tokens_details") or {}).get("thinking_tokens")
    out.usage = tokens(
        taken, usage["output_tokens"], cache_read=read, cache_write=written, reasoning=thought
    )
    return out


def _bedrock(reply: Any) -> Told:
    out = Told()
    for block in reply["output"]["message"]["content"]:
        out.text += block.get("text", "")
        for part in block.get("citationsContent", {}).get("content", ()):
            out.text += part["text"]
        if "toolUse" in block and block["toolUse"].get("type") != "server_tool_use":
            call = block["toolUse"]
            made = call["json"] if "json" in call else json.dumps(call["input"])
            out.call(call["toolUseId"], call["name"], made)
        thought = block.get("reasoningContent", {}).get("reasoningText", {})
        out.thoughts += thought.get("text", "")
    out.finish = {
        "end_turn": "stop",
        "stop_sequence": "stop",
        "tool_use": "tool_calls",
        "max_tokens": "length",
        "model_context_window_exceeded": "length",
        "guardrail_intervened": "content_filter",
        "content_filtered": "content_filter",
    }[reply["stopReason"]]
    usage = reply["usage"]
    read, written = usage.get("cacheReadInputTokens", 0), usage.get("cacheWriteInputTokens", 0)
    taken = usage["inputTokens"] + read + written
    out.usage = tokens(taken, usage["outputTokens"], cache_read=read, cache_write=written)
    return out


def _cohere(reply: Any) -> Told:
    message, out = reply["message"], Told()
    out.text = "".join(one.get("text", "") for one in message.get("content") or ())
    thoughts = [one.get("thinking", "") for one in message.get("content") or ()]
    out.thoughts = "".join(thoughts) + message.get("tool_plan", "")
    for call in message.get("tool_calls") or ():
        out.call(call["id"], call["function"]["name"], call["function"]["arguments"])
    out.sources = [None] * len(message.get("citations") or ())
    out.finish = {
        "COMPLETE": "stop",
        "STOP_SEQUENCE": "stop",
        "TOOL_CALL": "tool_calls",
        "MAX_TOKENS": "length",
    }[reply["finish_reason"]]
    usage = reply["usage"]
    counted = usage["tokens"]
    out.usage = tokens(
        counted["input_tokens"], counted["output_tokens"], cache_read=usage.get("cached_tokens")
    )
    return out


def _gemini(reply: Any) -> Told:
    blocked = {"finishReason": reply.get("promptFeedback", {}).get("blockReason")}
    (candidate,) = reply.get("candidates") or [blocked]
    out = Told()
    for part in candidate.get("content", {}).get("parts", ()):
        if "functionCall" in part:
            call = part["functionCall"]
            out.call(call.get("id", ""), call["name"], json.dumps(call["args"]))
        elif part.get("thought"):
            out.thoughts += part.get("text", "")
        else:
            out.text += part.get("text", "")
    grounding = candidate.get("groundingMetadata", {})
    for support in grounding.get("groundingSupports", ()):
        for number in support["groundingChunkIndices"]:
            source = grounding["groundingChunks"][number]
            out.sources.append((source.get("web") or source.get("maps") or {}).get("uri"))
    done = "tool_calls" if out.calls else "stop"
    ended = {None: done, "STOP": done, "MALFORMED_FUNCTION_CALL": "stop", "MAX_TOKENS": "length"}
    out.finish = ended.get(candidate.get("finishReason"), "content_filter")
    usage = reply["usageMetadata"]
    thought = usage.get("thoughtsTokenCount", 0)
    out.usage = tokens(
        usage.get("promptTokenCount", 0) + usage.get("toolUsePromptTokenCount", 0),
        usage.get("candidatesTokenCount", 0) + thought,
        cache_read=usage.get("cachedContentTokenCount"),
        reasoning=thought,
    )
    return out


def _chat(reply: Any) -> Told:
    (choice,) = reply["choices"]
    message, out = choice["message"], Told()
    content = message.get("content") or ""
    parts = content if isinstance(content, list) else [{"type": "text", "text": content}]
    out.text = "".join(part["text"] for part in parts if part["type"] == "text")
    inside = [one["text"] for part in parts for one in part.get("thinking", ())]
    out.thoughts = message.get("reasoning_content") or message.get("reasoning") or "".join(inside)
    for call in message.get("tool_calls") or ():
        out.call(call["id"], call["function"]["name"], call["function"]["arguments"])
    notes = message.get("annotations") or ()
    out.sources = [note["url_citation"]["url"] for note in notes if "url_citation" in note]
    out.finish = choice["finish_reason"] or "stop"  # one vendor names no reason
    usage = reply["usage"]
    if usage is None:
        return out
    out.usage = tokens(
        usage["prompt_tokens"],
        usage["total_tokens"] - usage["prompt_tokens"],  # one vendor counts thoughts apart
        cache_read=(usage.get("prompt_tokens_details") or usage).get("cached_tokens"),
        reasoning=(usage.get("completion_tokens_details") or {}).get("reasoning_tokens"),
    )
    return out


def _responses(reply: Any) -> Told:
    out = Told()
    for item in reply["output"]:
        match item["type"]:
            case "message":
                for part in item["content"]:
                    out.text += part["text"] if "text" in part else part["refusal"]
                    out.sources += [one.get("url") for one in part.get("annotations") or ()]
            case "reasoning":
                shown = [*(item.get("summary") or ()), *(item.get("content") or ())]
                out.thoughts += "".join(part["text"] for part in shown)
            case "function_call":
                out.call(item["call_id"], item["name"], item["arguments"])
            case "custom_tool_call":
                out.call(item["call_id"], item["name"], json.dumps({"input": item["input"]}))
    out.finish = {"completed": "tool_calls" if out.calls else "stop", "incomplete": "length"}[
        reply["status"]
    ]
    usage = reply["usage"]
    out.usage = tokens(
        usage["input_tokens"],
        usage["output_tokens"],
        cache_read=usage["input_tokens_details"]["cached_tokens"],
        reasoning=usage["output_tokens_details"]["reasoning_tokens"],
    )
    return out


_READERS: dict[str, Callable[[Any], Told]] = {
    "anthropic": _messages,
    "bedrock": _bedrock,
    "cohere": _cohere,
    "gemini": _gemini,
    "openai-chat": _chat,
    "openai-responses": _responses,
}
_ADDED: dict[str, Callable[[bytes], Any]] = {
    "anthropic": _messages_stream,
    "bedrock": _bedrock_stream,
    "cohere": _cohere_stream,
    "gemini": _gemini_stream,
    "openai-chat": _chat_stream,
    "openai-responses": _responses_stream,
}
