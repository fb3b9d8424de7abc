"""Requests of ``openai.responses``, made up: every member, and members nobody knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from gomodel_proxy.wire import json

from .made import Maker

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["responses_requests"]


@st.composite
def responses_requests(draw: Any) -> bytes:
    """Return a body of ``openai.responses``."""
    return json.encode(_Responses(Maker(draw)).body())


class _Responses:
    def __init__(self, make: Maker) -> None:
        self.make = make

    def body(self) -> dict[str, Any]:
        make = self.make
        given = make.one(make.text, self.items, self.items, self.items)
        needed: dict[str, Any] = {"model": "m", "input": given}
        optional: dict[str, Callable[[], Any]] = {
            "instructions": make.text,
            "tools": lambda: make.some(self.tool, 3, 1),
            "tool_choice": self.choice,
            "text": self.text_config,
            "reasoning": self.reasoning,
            "max_output_tokens": make.whole,
            "max_tool_calls": make.whole,
            "temperature": make.fraction,
            "top_p": make.fraction,
            "top_logprobs": make.whole,
            "parallel_tool_calls": lambda: make.draw(st.booleans()),
            "metadata": lambda: {make.word(): make.text()},
            "user": make.text,
            "service_tier": make.word,
            "store": lambda: make.draw(st.booleans()),
            "stream": lambda: True,
            "stream_options": lambda: make.object({}, {"include_obfuscation": lambda: True}),
            "include": lambda: make.some(make.word, 2, 1),
            "truncation": lambda: "auto",
            "background": lambda: True,
            "context_management": lambda: [{"type": make.word(), "compact_threshold": 7}],
            "conversation": lambda: {"id": make.word()},
            "previous_response_id": make.word,
            "prompt": lambda: {"id": make.word(), "variables": {make.word(): make.text()}},
            "prompt_cache_key": make.text,
            "safety_identifier": make.text,
        }
        return make.object(needed, optional)

    def reasoning(self) -> dict[str, Any]:
        make = self.make
        told = make.draw(st.sampled_from(("summary", "generate_summary")))
        optional = {"effort": make.word, told: make.word, "context": make.word, "mode": make.word}
        return make.object({}, optional)

    def text_config(self) -> dict[str, Any]:
        return self.make.object({}, {"format": self.form, "verbosity": self.make.word})

    def form(self) -> dict[str, Any]:
        make = self.make
        if make.draw(st.booleans()):
            return make.object({"type": make.draw(st.sampled_from(("text", "json_object")))})
        needed = {"type": "json_schema", "name": make.word(), "schema": make.schema()}
        optional = {"strict": lambda: make.draw(st.booleans()), "description": make.text}
        return make.object(needed, optional)

    def tool(self) -> dict[str, Any]:
        make = self.make
        kind = make.draw(st.sampled_from(("function", "custom", "function", "mcp", "web_search")))
        if kind == "web_search":
            return make.object({"type": kind})
        if kind == "mcp":
            return make.object({"type": kind, "server_label": make.text()})
        optional: dict[str, Callable[[], Any]] = {
            "description": make.text,
            "cache_control": make.cache,
            "defer_loading": lambda: True,
        }
        if kind == "function":
            optional |= {"parameters": make.schema, "strict": lambda: make.draw(st.booleans())}
        else:
            grammar = {"type": "grammar", "syntax": make.word(), "definition": make.text()}
            optional["format"] = lambda: grammar
        return make.object({"type": kind, "name": make.word()}, optional)

    def choice(self) -> Any:
        make = self.make
        named = make.object({"type": "function", "name": make.word()})
        tools = [make.object({"type": "function", "name": make.word()})]
        some = make.object({"type": "allowed_tools", "mode": "auto", "tools": tools})
        mcp = {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "mcp"}]}
        other = {"type": "mcp", "server_label": make.text()}
        words = ("auto", "none", "required")
        return make.draw(st.sampled_from((*words, named, some, mcp, other)))

    def items(self) -> list[dict[str, Any]]:
        return [item for turn in self.make.some(self.turn, 5, 1) for item in turn]

    def turn(self) -> list[dict[str, Any]]:
        return list(self.make.one(self.told, self.said, self.thought, self.called, self.built_in))

    def told(self) -> list[dict[str, Any]]:
        make = self.make
        role = make.draw(st.sampled_from(("system", "developer", "user", "user")))
        content = make.one(make.text, lambda: make.some(self.part, 3, 1))
        optional: dict[str, Callable[[], Any]] = {"type": lambda: "message"}
        return [make.object({"role": role, "content": content}, optional)]

    def said(self) -> list[dict[str, Any]]:
        make = self.make
        if make.draw(st.booleans()):
            easy = {"role": "assistant", "content": make.text()}
            return [make.object(easy, {"phase": make.word})]
        needed = {
            "type": "message",
            "role": "assistant",
            "content": make.some(self.output, 2, 1),
            "status": make.draw(st.sampled_from(("completed", "incomplete"))),
        }
        optional = {"id": make.word, "phase": make.word}
        return [make.object(needed, optional)]

    def output(self) -> dict[str, Any]:
        make = self.make
        if make.draw(st.integers(0, 3)) == 0:
            return make.object({"type": "refusal", "refusal": make.text()})
        note = {
            "type": "url_citation",
            "url": make.text(),
            "title": make.text(),
            "start_index": make.whole(),
            "end_index": make.whole(),
        }
        optional = {
            "annotations": lambda: [make.object(note)],
            "logprobs": lambda: [{"token": make.text(), "logprob": make.fraction()}],
            "cache_control": make.cache,
        }
        return make.object({"type": "output_text", "text": make.text()}, optional)

    def thought(self) -> list[dict[str, Any]]:
        make = self.make
        summary = make.some(lambda: make.object({"type": "summary_text", "text": make.text()}))
        optional = {
            "content": lambda: [make.object({"type": "reasoning_text", "text": make.text()})],
            "encrypted_content": make.word,
            "id": make.word,
        }
        return [make.object({"type": "reasoning", "summary": summary}, optional)]

    def called(self) -> list[dict[str, Any]]:
        make = self.make
        call, name = make.word(), make.word()
        custom = make.draw(st.integers(0, 3)) == 0
        kind, member = ("custom_tool_call", "input") if custom else ("function_call", "arguments")
        said = make.text() if custom else make.arguments()
        needed = {"type": kind, "call_id": call, "name": name, member: said}
        optional: dict[str, Callable[[], Any]] = {
            "id": make.word,
            "namespace": make.word,
            "signature": make.word,
            "status": lambda: "completed",
        }
        output = make.one(make.text, lambda: make.some(self.part, 2, 1))
        result = {"type": f"{kind}_output", "call_id": call, "output": output}
        return [make.object(needed, optional), make.object(result, {"id": make.word})]

    def built_in(self) -> list[dict[str, Any]]:
        make = self.make
        kinds = (
            "web_search_call",
            "mcp_call",
            "code_interpreter_call",
            "shell_call_output",
            "computer_call_output",
            "additional_tools",
            "compaction",
        )
        needed = {"type": make.draw(st.sampled_from(kinds)), "id": make.word()}
        optional = {
            "name": make.text,
            "arguments": make.arguments,
            "output": make.text,
            "code": make.text,
            "action": lambda: {"query": make.text()},
        }
        return [make.object(needed, optional)]

    def part(self) -> dict[str, Any]:
        make = self.make
        kind = make.draw(st.sampled_from(("text", "image", "audio", "file")))
        needed: dict[str, Any] = {"type": f"input_{kind}"}
        optional: dict[str, Callable[[], Any]] = {"cache_control": make.cache}
        if kind == "text":
            needed["text"] = make.text()
            optional["prompt_cache_breakpoint"] = make.cache
        elif kind == "image":
            needed["image_url"] = make.one(make.word, lambda: make.data_url("image/webp"))
            optional["detail"] = make.word
        elif kind == "audio":
            data = {"data": f"QUJD{make.count():04d}", "format": "wav"}
            needed["input_audio"] = make.object(data)
        elif make.draw(st.booleans()):
            needed |= {"file_data": make.data_url("application/pdf"), "filename": make.word()}
        else:
            source = make.draw(st.sampled_from(("file_id", "file_url")))
            needed[source] = f"https://{make.word()}/"
            optional |= {"filename": make.word, "detail": make.word}
        return make.object(needed, optional)
