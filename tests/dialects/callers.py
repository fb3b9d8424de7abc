"""Callers of three dialects, as their SDKs see an answer: said in no dialect, and told back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

import openai

from .recorded import Told, tokens

if TYPE_CHECKING:
    from .conftest import Setup

HELLO: Any = [{"role": "user", "content": "Hi"}]
RESULT = "Sunny, 22C"


class Caller(Protocol):
    """One dialect's caller. ``dialect`` is what recordings call it."""

    dialect: str

    async def ask(self, setup: Setup, model: str, stream: bool, *more: Any) -> Any:
        """Ask, and return the SDK's whole answer; ``more`` follows the first turn."""

    def told(self, answer: Any) -> Told:
        """Return what an answer says."""

    def turns(self, answer: Any) -> list[Any]:
        """Return an answer and the results of its calls as turns of the history."""


class Chat:
    dialect = "openai-chat"

    async def ask(self, setup: Setup, model: str, stream: bool, *more: Any) -> Any:
        given: Any = {"model": model, "messages": [*HELLO, *more]}
        if not stream:
            return await setup.openai.chat.completions.create(**given)
        options = {"include_usage": True}
        async with setup.openai.chat.completions.stream(**given, stream_options=options) as stream_:
            try:
                return await stream_.get_final_completion()
            except (openai.LengthFinishReasonError, openai.ContentFilterFinishReasonError):
                return stream_.current_completion_snapshot  # of which the SDK parses nothing

    def told(self, answer: Any) -> Told:
        (choice,) = answer.choices
        message, out = choice.message, Told()
        out.text = (message.content or "") + (message.refusal or "")
        out.thoughts = getattr(message, "reasoning_content", None) or ""
        for call in message.tool_calls or ():
            if call.type == "custom":
                out.call(call.id, call.custom.name, json.dumps({"input": call.custom.input}))
                continue
            out.call(call.id, call.function.name, call.function.arguments)
        notes = message.model_dump(exclude_none=True).get("annotations", [])
        urls = [note["url_citation"]["url"] for note in notes]
        # this dialect's citations need a URL, so a file gets one of its name
        out.sources = [None if url.startswith("file:") else url for url in urls]
        out.finish = choice.finish_reason
        usage = answer.usage
        if usage is None:
            return out
        taken, made = usage.prompt_tokens_details, usage.completion_tokens_details
        out.usage = tokens(
            usage.prompt_tokens,
            usage.completion_tokens,
            cache_read=taken and taken.cached_tokens,
            reasoning=made and made.reasoning_tokens,
        )
        return out

    def turns(self, answer: Any) -> list[Any]:
        message = answer.choices[0].message
        results = [
            {"role": "tool", "tool_call_id": call.id, "content": RESULT}
            for call in message.tool_calls
        ]
        return [message.model_dump(exclude_none=True, exclude={"parsed"}), *results]


class Responses:
    dialect = "openai-responses"

    async def ask(self, setup: Setup, model: str, stream: bool, *more: Any) -> Any:
        given: Any = {"model": model, "input": [*HELLO, *more], "store": False}
        if not stream:
            return await setup.openai.responses.create(**given)
        async with setup.openai.responses.stream(**given) as stream_:
            async for event in stream_:
                if event.type == "response.incomplete":
                    return event.response
            return await stream_.get_final_response()

    def told(self, answer: Any) -> Told:
        out = Told()
        for item in answer.output:
            if item.type == "message":
                for part in item.content:
                    out.text += part.text if part.type == "output_text" else part.refusal
                    out.sources += [
                        getattr(note, "url", None) for note in getattr(part, "annotations", ())
                    ]
            elif item.type == "reasoning":
                out.thoughts += "".join(one.text for one in (*item.summary, *(item.content or ())))
            elif item.type == "function_call":
                out.call(item.call_id, item.name, item.arguments)
        reasons = {"max_output_tokens": "length", "content_filter": "content_filter"}
        if answer.status == "incomplete":
            out.finish = reasons[answer.incomplete_details.reason]
        elif answer.status == "completed":
            out.finish = "tool_calls" if out.calls else "stop"
        usage = answer.usage
        if usage is None:
            return out
        out.usage = tokens(
            usage.input_tokens,
            usage.output_tokens,
            cache_read=usage.input_tokens_details.cached_tokens,
            reasoning=usage.output_tokens_details.reasoning_tokens,
        )
        return out

    def turns(self, answer: Any) -> list[Any]:
        kept = [item.model_dump(exclude_none=True) for item in answer.output]
        for item in kept:
            item.pop("parsed_arguments", None)
        results = [
            {"type": "function_call_output", "call_id": item["call_id"], "output": RESULT}
            for item in kept
            if item["type"] == "function_call"
        ]
        return [*kept, *results]


class Messages:
    dialect = "anthropic"

    async def ask(self, setup: Setup, model: str, stream: bool, *more: Any) -> Any:
        given: Any = {"model": model, "max_tokens": 999, "messages": [*HELLO, *more]}
        if not stream:
            return await setup.anthropic.messages.create(**given)
        async with setup.anthropic.messages.stream(**given) as stream_:
            return await stream_.get_final_message()

    def told(self, answer: Any) -> Told:
        out = Told()
        for block in answer.content:
            if block.type == "text":
                out.text += block.text
                out.sources += [getattr(one, "url", None) for one in block.citations or ()]
            elif block.type == "thinking":
                out.thoughts += block.thinking
            elif block.type == "tool_use":
                out.ids.append(block.id)
                out.calls.append((block.name, block.input))
        out.finish = {
            "end_turn": "stop",
            "stop_sequence": "stop",
            "tool_use": "tool_calls",
            "max_tokens": "length",
            "model_context_window_exceeded": "length",
            "refusal": "content_filter",
        }[answer.stop_reason]
        usage = answer.usage
        read, written = usage.cache_read_input_tokens, usage.cache_creation_input_tokens
        out.usage = tokens(
            usage.input_tokens + (read or 0) + (written or 0),
            usage.output_tokens,
            cache_read=read,
            cache_write=written,
        )
        return out

    def turns(self, answer: Any) -> list[Any]:
        content = [block.model_dump(exclude_none=True) for block in answer.content]
        for block in content:
            block.pop("parsed_output", None)
        results = [
            {"type": "tool_result", "tool_use_id": block["id"], "content": RESULT}
            for block in content
            if block["type"] == "tool_use"
        ]
        return [{"role": "assistant", "content": content}, {"role": "user", "content": results}]


CALLERS: tuple[Caller, ...] = (Chat(), Responses(), Messages())
