"""The core's request bodies as structs, for the API description; members not named here pass too.

https://platform.openai.com/docs/api-reference, November 2026.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

__all__ = ["BATCHES", "BODIES", "ErrorEnvelope", "FileForm", "FileList", "FileObject"]

Text = Annotated[str, msgspec.Meta(min_length=1)]


class StreamOptions(msgspec.Struct, kw_only=True, omit_defaults=True):
    """How a stream is written."""

    include_usage: bool = False


class Message(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One message of a conversation."""

    role: str
    content: str | list[dict[str, Any]] | None = None
    tool_calls: list[dict[str, Any]] | None = None
    tool_call_id: str | None = None


class ChatBody(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A chat request; ``provider`` is a routing hint that goes no further."""

    model: Text
    messages: Annotated[list[Message], msgspec.Meta(min_length=1)]
    provider: str | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: str | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    reasoning: dict[str, Any] | None = None


class ResponsesBody(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A Responses request."""

    model: Text
    input: str | list[dict[str, Any]]
    provider: str | None = None
    instructions: str | None = None
    max_output_tokens: int | None = None
    metadata: dict[str, str] | None = None
    stream: bool | None = None
    temperature: float | None = None
    tools: list[dict[str, Any]] | None = None
    reasoning: dict[str, Any] | None = None


class EmbeddingsBody(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An embeddings request."""

    model: Text
    input: str | list[Any]
    provider: str | None = None
    encoding_format: str | None = None
    dimensions: int | None = None


class CompletionsBody(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A legacy completion request."""

    model: Text
    prompt: str | list[Any] | None = None
    provider: str | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: int | None = None


class ModerationsBody(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A moderation request."""

    input: str | list[Any]
    model: Text | None = None
    provider: str | None = None


class FileForm(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An upload; fields may stand before the file and behind it."""

    file: Annotated[str, msgspec.Meta(extra_json_schema={"format": "binary"})]
    purpose: Text
    expires_anchor: str | None = msgspec.field(name="expires_after[anchor]", default=None)
    expires_seconds: int | None = msgspec.field(name="expires_after[seconds]", default=None)


class FileObject(msgspec.Struct, kw_only=True):
    """A file without its bytes."""

    id: str
    object: str
    bytes: int
    created_at: int
    expires_at: int | None
    filename: str
    purpose: str
    status: str
    status_details: str | None


class FileList(msgspec.Struct, kw_only=True):
    """A page of files; ask for the next with ``after=<last_id>``."""

    object: str = "list"
    data: list[FileObject]
    first_id: str | None
    last_id: str | None
    has_more: bool


class NewLine(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One request of a batch."""

    custom_id: Text
    body: dict[str, Any]
    method: str | None = None
    url: str | None = None


class NewBatch(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A batch: of a file's lines, or of those written into the request."""

    input_file_id: str | None = None
    requests: list[NewLine] | None = None
    endpoint: str | None = None
    completion_window: str | None = None
    metadata: dict[str, str] | None = None
    output_expires_after: dict[str, Any] | None = None


class BatchObject(msgspec.Struct, kw_only=True):
    """A batch as it stands; times are seconds, costs USD and null where a price is not known."""

    id: str
    object: str
    endpoint: str
    model: str | None
    provider: str | None
    provider_batch_id: str | None
    errors: dict[str, Any] | None
    input_file_id: str
    completion_window: str
    status: str
    output_file_id: str | None
    error_file_id: str | None
    created_at: int
    in_progress_at: int | None
    expires_at: int
    finalizing_at: int | None
    completed_at: int | None
    failed_at: int | None
    expired_at: int | None
    cancelling_at: int | None
    cancelled_at: int | None
    request_counts: dict[str, int]
    usage: dict[str, Any]
    metadata: dict[str, str]
    provider_batches: list[dict[str, Any]] = []
    webhook: dict[str, Any] = {}
    results: list[dict[str, Any]] = []


class BatchList(msgspec.Struct, kw_only=True):
    """A page of batches; ask for the next with ``after=<last_id>``."""

    object: str
    data: list[BatchObject]
    first_id: str | None
    last_id: str | None
    has_more: bool


class ErrorBody(msgspec.Struct, kw_only=True):
    """What went wrong; ``param`` names the member at fault."""

    message: str
    type: str
    param: str | None
    code: str | None


class ErrorEnvelope(msgspec.Struct, kw_only=True):
    """An error as OpenAI's clients read it."""

    error: ErrorBody


BATCHES: Final = {"openai.chat": (NewBatch, BatchObject, BatchList)}
"""By the dialect whose view of batches it is: what is sent, one batch, a page of them."""

BODIES: Final[dict[str, type[msgspec.Struct]]] = {
    "openai.chat": ChatBody,
    "openai.responses": ResponsesBody,
    "openai.embeddings": EmbeddingsBody,
    "openai.completions": CompletionsBody,
    "openai.moderations": ModerationsBody,
}
