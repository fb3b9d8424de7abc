"""The neutral model of a chat: what every dialect's codec reads into and writes from.

Designed from the stream up: a whole reply is what its events add up to. Every level has an
``extra`` map of members that have no place here; they go on to a dialect that knows them under the
same name, and are reported as lost by one that does not. JSON that the gateway has no business
reading (schemas, arguments, metadata) stays as bytes.

``at`` is the place of a node in the caller's body, such as ``messages[3].content[1]``: losses and
errors name it. ``dialect`` marks what only its own dialect can write again.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import Raw

from .values import Usage

__all__ = [
    "ChatReply",
    "ChatRequest",
    "Choice",
    "Citation",
    "Extra",
    "Failed",
    "Finish",
    "FinishReason",
    "Format",
    "Media",
    "Message",
    "Opaque",
    "Part",
    "PartEnd",
    "PartStart",
    "Piece",
    "Reasoning",
    "ReasoningWish",
    "Refusal",
    "Role",
    "Start",
    "StreamEvent",
    "Text",
    "Tool",
    "ToolCall",
    "ToolChoice",
    "ToolResult",
    "UsageReport",
]

Extra = dict[str, Raw]
Role = Literal["system", "developer", "user", "assistant", "tool"]
FinishReason = Literal[
    "stop", "length", "tool_calls", "content_filter", "refusal", "pause", "error", "other"
]


class Node(msgspec.Struct, kw_only=True):
    """What all nodes have: their place in the caller's body, and members without a place here."""

    at: str = ""
    extra: Extra = {}


# ---------------------------------------------------------------- content


class Citation(Node):
    """A source of a text: ``start`` and ``end`` are character offsets in the text, if known.

    ``raw`` is the vendor's own annotation, ``dialect`` whose.
    """

    url: str | None = None
    title: str | None = None
    file_id: str | None = None
    cited: str | None = None
    start: int | None = None
    end: int | None = None
    raw: Raw | None = None
    dialect: str = ""


class Text(Node):
    """Text. ``cache`` is a caching mark as JSON (``{"type": "ephemeral"}``)."""

    text: str
    citations: list[Citation] = []
    cache: Raw | None = None
    signature: str | None = None


class Media(Node):
    """An image, a sound, a film or a document, from exactly one of the four sources.

    ``data`` is base64. ``text`` is a document given as plain text. ``name`` is a file name or
    title. ``detail`` is OpenAI's image detail.
    """

    kind: Literal["image", "audio", "video", "document"]
    url: str | None = None
    data: str | None = None
    file_id: str | None = None
    text: str | None = None
    media_type: str | None = None
    name: str | None = None
    detail: str | None = None
    cache: Raw | None = None


class ToolCall(Node):
    """The model's wish to have a tool called.

    ``arguments`` is JSON text for a function, any text for a custom tool. ``item`` is the id of
    the item itself, where a dialect tells that from the call's ``id``. ``signature`` is an opaque
    proof some vendors want back.
    """

    id: str
    name: str
    arguments: str = "{}"
    kind: Literal["function", "custom"] = "function"
    item: str | None = None
    signature: str | None = None
    cache: Raw | None = None


class ToolResult(Node):
    """What a tool returned: parts of text and media. ``call`` is the id of the `ToolCall`."""

    call: str
    parts: list[Part] = []
    name: str | None = None
    error: bool | None = None
    kind: Literal["function", "custom"] = "function"
    item: str | None = None
    cache: Raw | None = None


class Reasoning(Node):
    """What the model thought: ``text`` in full or ``summary`` in parts.

    ``signature`` proves ``text``, ``encrypted`` is thought that only its vendor can read
    (``redacted``: and that was never shown). ``dialect`` is whose proof it is: no other dialect
    can use it.
    """

    text: str = ""
    summary: list[str] = []
    signature: str | None = None
    encrypted: str | None = None
    redacted: bool = False
    item: str | None = None
    dialect: str = ""


class Refusal(Node):
    """The model's words for why it will not."""

    text: str


class Opaque(Node):
    """Something only its own dialect can write: a built-in tool's call or result, a new kind of
    item. ``type`` is what the dialect calls it; ``text`` what can be said of it elsewhere.
    """

    dialect: str
    type: str
    raw: Raw
    text: str = ""


Part = Text | Media | ToolCall | ToolResult | Reasoning | Refusal | Opaque


class Message(Node):
    """One turn. Tool results are parts of a message of role ``tool``."""

    role: Role
    parts: list[Part]
    name: str | None = None
    item: str | None = None
    status: str | None = None
    cache: Raw | None = None


# ---------------------------------------------------------------- request


class Tool(Node):
    """A tool the model may call. ``schema`` is JSON Schema; ``raw`` a built-in tool, opaque."""

    name: str
    kind: Literal["function", "custom", "builtin"] = "function"
    description: str | None = None
    schema: Raw | None = None
    strict: bool | None = None
    format: Raw | None = None
    raw: Raw | None = None
    dialect: str = ""
    cache: Raw | None = None


class ToolChoice(Node):
    """Which tool must be called. ``names`` are those named or, with "auto" or "required", allowed.

    ``raw`` is a choice only its dialect knows.
    """

    mode: Literal["auto", "none", "required", "named", "raw"]
    names: list[str] = []
    raw: Raw | None = None
    dialect: str = ""


class Format(Node):
    """The form of the answer."""

    kind: Literal["text", "json_object", "json_schema", "raw"]
    name: str | None = None
    schema: Raw | None = None
    strict: bool | None = None
    description: str | None = None
    raw: Raw | None = None
    dialect: str = ""


class ReasoningWish(Node):
    """How much to think: an ``effort`` ("none" … "max"), a ``budget`` of tokens, or neither.

    ``enabled`` False switches it off, None leaves it to the model; ``adaptive`` lets the model
    choose. ``summary`` asks for one; ``shown`` False keeps thoughts out of the reply.
    """

    enabled: bool | None = None
    adaptive: bool = False
    effort: str | None = None
    budget: int | None = None
    summary: str | None = None
    shown: bool | None = None


class ChatRequest(Node):
    """A request. ``names`` maps members of this struct to the caller's names for them.

    Members that are None were not given. ``max_tokens`` bounds all output, reasoning included.
    ``proofs`` asks for thoughts in a form that can be sent back; dialects whose thoughts always are
    need no word for it.
    """

    model: str
    messages: list[Message]
    tools: list[Tool] = []
    tool_choice: ToolChoice | None = None
    parallel_tools: bool | None = None
    format: Format | None = None
    verbosity: str | None = None
    reasoning: ReasoningWish | None = None
    proofs: bool | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    stop: list[str] | None = None
    seed: int | None = None
    n: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    logit_bias: Raw | None = None
    user: str | None = None
    metadata: Raw | None = None
    service_tier: str | None = None
    store: bool | None = None
    stream: bool = False
    stream_usage: bool | None = None
    modalities: list[str] | None = None
    cache: Raw | None = None
    names: dict[str, str] = {}


# ---------------------------------------------------------------- reply


class Choice(Node):
    """One answer."""

    index: int = 0
    parts: list[Part] = []
    finish: FinishReason | None = None
    stopped_by: str | None = None
    raw_finish: str | None = None
    logprobs: Raw | None = None


class ChatReply(Node):
    """A whole reply. ``created`` is seconds since the epoch."""

    id: str
    model: str
    choices: list[Choice]
    created: int = 0
    usage: Usage | None = None
    service_tier: str | None = None


# ---------------------------------------------------------------- stream


class Start(msgspec.Struct, gc=False):
    """The stream has begun. ``usage`` is what the vendor says of the input already here."""

    id: str
    model: str
    created: int = 0
    usage: Usage | None = None
    extra: Extra | None = None


class PartStart(msgspec.Struct, gc=False):
    """A part begins. ``index`` counts all parts of a choice, from 0; parts may overlap.

    ``part`` is the part as far as it is known: a `ToolCall` with id and name and empty arguments,
    an empty `Text`, a whole `Media` or `Opaque`.
    """

    index: int
    part: Part
    choice: int = 0


class Piece(msgspec.Struct, gc=False):
    """More of a part. ``field`` says of what: text, arguments, summary, signature, encrypted.

    A citation comes as ``field="citation"`` with ``citation`` set. ``summary`` numbers its parts by
    ``number``.
    """

    index: int
    text: str
    field: Literal["text", "arguments", "summary", "signature", "encrypted", "citation"] = "text"
    choice: int = 0
    number: int = 0
    citation: Citation | None = None
    logprobs: Raw | None = None


class PartEnd(msgspec.Struct, gc=False):
    """A part is complete."""

    index: int
    choice: int = 0


class Finish(msgspec.Struct, gc=False):
    """A choice is complete."""

    reason: FinishReason
    choice: int = 0
    stopped_by: str | None = None
    raw: str | None = None


class UsageReport(msgspec.Struct, gc=False):
    """What it took; the last one counts."""

    usage: Usage


class Failed(msgspec.Struct, gc=False):
    """The vendor says, inside the stream, that it failed."""

    message: str
    type: str | None = None
    code: str | None = None


StreamEvent = Start | PartStart | Piece | PartEnd | Finish | UsageReport | Failed
