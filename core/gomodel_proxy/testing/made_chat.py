"""Requests of ``openai.chat``, made up: every member, and members nobody knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from gomodel_proxy.wire import json

from .made import Maker

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["chat_requests"]


@st.composite
def chat_requests(draw: Any) -> bytes:
    """Return a body of ``openai.chat``."""
    return json.encode(_Chat(Maker(draw)).body())


class _Chat:
    def __init__(self, make: Maker) -> None:
        self.make = make

    def body(self) -> dict[str, Any]:
        make = self.make
        needed: dict[str, Any] = {"model": "m", "messages": self.messages()}
        limits = ("max_tokens", "max_completion_tokens")
        optional: dict[str, Callable[[], Any]] = {
            make.draw(st.sampled_from(limits)): make.whole,
            "tools": lambda: make.some(self.tool, 3, 1),
            "tool_choice": self.choice,
            "parallel_tool_calls": lambda: make.draw(st.booleans()),
            "response_format": self.form,
            "logprobs": lambda: True,
            "logit_bias": lambda: {str(make.whole()): make.whole()},
            "metadata": lambda: {make.word(): make.text()},
            "modalities": lambda: ["text", "audio"],
            "n": make.whole,
            "seed": make.whole,
            "stop": lambda: make.one(make.text, lambda: make.some(make.text, 3, 1)),
            "store": lambda: make.draw(st.booleans()),
            "stream": lambda: True,
            "stream_options": lambda: make.object({}, {"include_obfuscation": lambda: True}),
            "cache_control": make.cache,
            "prediction": lambda: {"type": "content", "content": make.text()},
            "prompt_cache_key": make.text,
            "safety_identifier": make.text,
            "service_tier": make.word,
            "top_k": make.whole,
            "top_logprobs": make.whole,
            "user": make.text,
            "verbosity": make.word,
            "web_search_options": lambda: {"search_context_size": make.word()},
        }
        for name in ("temperature", "top_p", "frequency_penalty", "presence_penalty", "min_p"):
            optional[name] = make.fraction
        if make.draw(st.booleans()):
            optional["reasoning_effort"] = make.word
        else:
            optional["reasoning"] = self.reasoning
        return make.object(needed, optional)

    def reasoning(self) -> dict[str, Any]:
        make = self.make
        optional = {
            "effort": make.word,
            "max_tokens": make.whole,
            "exclude": lambda: True,
            "summary": make.word,
        }
        return make.object({}, optional)

    def form(self) -> dict[str, Any]:
        make = self.make
        if make.draw(st.booleans()):
            return make.object({"type": make.draw(st.sampled_from(("text", "json_object")))})
        optional = {"strict": lambda: make.draw(st.booleans()), "description": make.text}
        inner = make.object({"name": make.word(), "schema": make.schema()}, optional)
        return make.object({"type": "json_schema", "json_schema": inner})

    def tool(self) -> dict[str, Any]:
        make = self.make
        kind = make.draw(st.sampled_from(("function", "custom", "function", "web_search")))
        if kind == "web_search":
            return make.object({"type": kind, "filters": {"domains": [make.text()]}})
        optional: dict[str, Callable[[], Any]] = {"description": make.text}
        if kind == "function":
            optional |= {"parameters": make.schema, "strict": lambda: True}
        else:
            grammar = {"syntax": make.word(), "definition": make.text()}
            optional["format"] = lambda: {"type": "grammar", "grammar": grammar}
        inner = make.object({"name": make.word()}, optional)
        return make.object({"type": kind, kind: inner}, {"cache_control": make.cache})

    def choice(self) -> Any:
        make = self.make
        named = make.object({"type": "function", "function": make.object({"name": make.word()})})
        tools = [make.object({"type": "function", "function": {"name": make.word()}})]
        allowed = make.object({"mode": "required", "tools": tools})
        some = make.object({"type": "allowed_tools", "allowed_tools": allowed})
        return make.draw(st.sampled_from(("auto", "none", "required", named, some)))

    def messages(self) -> list[dict[str, Any]]:
        return [message for turn in self.make.some(self.turn, 3, 1) for message in turn]

    def turn(self) -> list[dict[str, Any]]:
        return list(self.make.one(self.told, self.told, self.answered))

    def told(self) -> list[dict[str, Any]]:
        make = self.make
        role = make.draw(st.sampled_from(("system", "developer", "user", "user")))
        part = self.text if role != "user" else self.part
        content = make.one(make.text, lambda: make.some(part, 3, 1))
        optional = {"name": make.word, "cache_control": make.cache}
        return [make.object({"role": role, "content": content}, optional)]

    def answered(self) -> list[dict[str, Any]]:
        make = self.make
        calls = make.some(self.call)
        optional: dict[str, Callable[[], Any]] = {
            "name": make.word,
            "refusal": make.text,
            make.draw(st.sampled_from(("reasoning_content", "reasoning"))): make.text,
            "audio": lambda: {"id": make.word()},
        }
        if make.draw(st.booleans()):
            optional = {"reasoning_details": lambda: make.some(self.detail, 2, 1)}
        content = make.one(make.text, lambda: make.some(self.text, 2, 1))
        needed: dict[str, Any] = {"role": "assistant", "content": content}
        if calls:
            needed["tool_calls"] = calls
        results = [self.result(call["id"]) for call in calls]
        return [make.object(needed, optional), *results]

    def detail(self) -> dict[str, Any]:
        make = self.make
        formats = ("openai.responses", "anthropic.messages", "openai.chat")
        optional = {"text": make.text, "signature": make.word, "data": make.word, "id": make.word}
        form = make.draw(st.sampled_from(formats))
        return make.object({"type": "reasoning.text", "format": form}, optional)

    def call(self) -> dict[str, Any]:
        make = self.make
        custom = make.draw(st.integers(0, 3)) == 0
        kind, member = ("custom", "input") if custom else ("function", "arguments")
        said = make.text() if custom else make.arguments()
        inner = make.object({"name": make.word(), member: said})
        needed = {"id": make.word(), "type": kind, kind: inner}
        return make.object(needed, {"signature": make.word})

    def result(self, call: str) -> dict[str, Any]:
        make = self.make
        content = make.one(make.text, lambda: make.some(self.part, 2, 1))
        needed = {"role": "tool", "tool_call_id": call, "content": content}
        return make.object(needed, {"name": make.word})

    def text(self) -> dict[str, Any]:
        make = self.make
        optional = {"cache_control": make.cache, "prompt_cache_breakpoint": make.cache}
        return make.object({"type": "text", "text": make.text()}, optional)

    def part(self) -> dict[str, Any]:
        make = self.make
        kind = make.draw(st.sampled_from(("text", "image_url", "input_audio", "file")))
        if kind == "text":
            return self.text()
        if kind == "image_url":
            url = make.one(lambda: f"https://{make.word()}/", lambda: make.data_url("image/webp"))
            inner = make.object({"url": url}, {"detail": make.word})
        elif kind == "input_audio":
            inner = make.object({"data": f"QUJD{make.count():04d}", "format": "wav"})
        elif make.draw(st.booleans()):
            inner = make.object({"file_id": make.word()}, {"filename": make.word})
        else:
            data = make.data_url("application/pdf")
            inner = make.object({"file_data": data, "filename": make.word()})
        return make.object({"type": kind, kind: inner}, {"cache_control": make.cache})
