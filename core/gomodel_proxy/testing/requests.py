"""Requests made up by hypothesis, in OpenAI's dialects: every member, and members nobody knows.

For `losslessness.check`: each text and number is there once, so that a search finds it or not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from gomodel_proxy.wire import json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["chat_requests", "responses_requests"]

_WORDS = ("plain", 'a "quoted" one', "back\\slash", "zwei\nZeilen", "日本", "🙂", "{not json}")


class _Maker:
    """Draws from hypothesis and numbers what it makes."""

    def __init__(self, draw: Callable[[Any], Any]) -> None:
        self.draw = draw
        self._made = 0

    def count(self) -> int:
        """Return the next number."""
        self._made += 1
        return self._made

    def text(self) -> str:
        """Return a text like no other."""
        return f"t{self.count()}. {self.draw(st.sampled_from(_WORDS))}"

    def word(self) -> str:
        """Return a name like no other."""
        return f"w{self.count()}z"

    def whole(self) -> int:
        """Return a whole number like no other."""
        return 1000 + self.count()

    def fraction(self) -> float:
        """Return a number between 0 and 1 like no other."""
        return self.count() / 1024

    def one(self, *made: Callable[[], Any]) -> Any:
        """Return what one of these makes."""
        return self.draw(st.sampled_from(made))()

    def some(self, make: Callable[[], Any], most: int = 2, least: int = 0) -> list[Any]:
        """Return a few of what this makes."""
        return [make() for _ in range(self.draw(st.integers(least, most)))]

    def object(
        self, needed: Mapping[str, Any], optional: Mapping[str, Callable[[], Any]] | None = None
    ) -> dict[str, Any]:
        """Return an object with some of the optional members, and perhaps one nobody knows."""
        made = dict(needed)
        names = sorted(optional or {})
        if optional and names:
            for name in self.draw(st.sets(st.sampled_from(names))):
                made[name] = optional[name]()
        if self.draw(st.integers(0, 5)) == 0:
            made[f"x_{self.count()}"] = self.one(
                self.text, lambda: {"deep": [self.whole(), {"deeper": self.text()}]}
            )
        return made

    def schema(self) -> dict[str, Any]:
        """Return a JSON schema."""
        inner = {"type": "string", "description": self.text(), "maxLength": self.whole()}
        return {"type": "object", "properties": {self.word(): inner}, "required": [self.word()]}

    def arguments(self) -> str:
        """Return a call's arguments, as JSON text."""
        return json.encode({self.word(): self.text(), "n": [self.whole()]}).decode()

    def data_url(self, kind: str) -> str:
        """Return a data URL."""
        return f"data:{kind};base64,QUJD{self.count():04d}"

    def cache(self) -> dict[str, Any]:
        """Return a caching mark."""
        return {"type": "ephemeral", "ttl": f"{self.count()}m"}


# ---------------------------------------------------------------- openai.chat


@st.composite
def chat_requests(draw: Any) -> bytes:
    """Return a body of ``openai.chat``."""
    return json.encode(_Chat(_Maker(draw)).body())


class _Chat:
    def __init__(self, make: _Maker) -> None:
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


# ---------------------------------------------------------------- openai.responses


@st.composite
def responses_requests(draw: Any) -> bytes:
    """Return a body of ``openai.responses``."""
    return json.encode(_Responses(_Maker(draw)).body())


class _Responses:
    def __init__(self, make: _Maker) -> None:
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
