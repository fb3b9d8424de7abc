"""``generationConfig``, read: ai.google.dev/api/generate-content#generationconfig (2026-11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gomodel_proxy.api.chat import Format, ReasoningWish

from .nodes import Node, encoded
from .schemas import json_schema
from .words import DIALECT

if TYPE_CHECKING:
    from gomodel_proxy.api.chat import ChatRequest

__all__ = ["NAMES", "read_settings"]

NAMES: Final = {
    "max_tokens": "maxOutputTokens",
    "temperature": "temperature",
    "top_p": "topP",
    "top_k": "topK",
    "n": "candidateCount",
    "stop": "stopSequences",
    "seed": "seed",
    "presence_penalty": "presencePenalty",
    "frequency_penalty": "frequencyPenalty",
    "logprobs": "responseLogprobs",
    "top_logprobs": "logprobs",
    "modalities": "responseModalities",
}
"""Members of a request and what they are called in ``generationConfig``."""


def read_settings(members: Node, request: ChatRequest) -> None:
    """Take the settings into the request, and the caller's names for them."""
    config = members.node("generationConfig")
    if config is None:
        return
    names = {ours: config.place(theirs) for ours, theirs in NAMES.items()}
    request.names.update(names)
    request.max_tokens = config.whole("maxOutputTokens")
    request.temperature = config.number("temperature")
    request.top_p = config.number("topP")
    request.top_k = config.whole("topK")
    request.n = config.whole("candidateCount")
    request.stop = config.texts("stopSequences")
    request.seed = config.whole("seed")
    request.presence_penalty = config.number("presencePenalty")
    request.frequency_penalty = config.number("frequencyPenalty")
    request.logprobs = config.boolean("responseLogprobs")
    request.top_logprobs = config.whole("logprobs")
    modalities = config.texts("responseModalities")
    request.modalities = None if modalities is None else [word.lower() for word in modalities]
    request.format = _read_format(config)
    thinking = config.node("thinkingConfig")
    if thinking is not None:
        request.reasoning = _read_thinking(thinking, request.names)
    for name, value in config.extra.items():
        request.extra[f"generationConfig.{name}"] = value


def _read_format(config: Node) -> Format | None:
    media_type = config.text("responseMimeType")
    at = config.place("responseMimeType")
    if media_type not in (None, "text/plain", "application/json"):
        kept = {"responseMimeType": encoded(media_type)}
        for name in ("responseSchema", "responseJsonSchema"):
            value = config.raw(name)
            if value is not None:
                kept[name] = value
        return Format("raw", raw=encoded(kept), dialect=DIALECT, at=at)
    schema, own = config.raw("responseJsonSchema"), config.raw("responseSchema")
    if schema is None and own is not None:
        schema = json_schema(own)
    if schema is not None:
        return Format("json_schema", schema=schema, at=at)
    if media_type is None:
        return None
    return Format("text" if media_type == "text/plain" else "json_object", at=at)


def _read_thinking(thinking: Node, names: dict[str, str]) -> ReasoningWish:
    names["reasoning.budget"] = thinking.place("thinkingBudget")
    names["reasoning.effort"] = thinking.place("thinkingLevel")
    names["reasoning.shown"] = thinking.place("includeThoughts")
    budget, level = thinking.whole("thinkingBudget"), thinking.text("thinkingLevel")
    wish = ReasoningWish(
        shown=thinking.boolean("includeThoughts"), at=thinking.at, extra=thinking.extra
    )
    if budget is not None and budget < 0:
        wish.enabled = wish.adaptive = True
    elif budget == 0:
        wish.enabled = False
    elif budget is not None:
        wish.enabled, wish.budget = True, budget
    if level is not None and level != "THINKING_LEVEL_UNSPECIFIED":
        wish.enabled, wish.effort = True, level.lower()
    return wish
