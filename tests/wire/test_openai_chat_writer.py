from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from msgspec import Raw

from gomodel_proxy.api import Losses
from gomodel_proxy.api.chat import (
    ChatReply,
    ChatRequest,
    Choice,
    Finish,
    Media,
    Opaque,
    PartEnd,
    PartStart,
    Piece,
    Reasoning,
    Start,
    Text,
    ToolCall,
)
from gomodel_proxy.wire.openai_chat_codec import ChatCodec

if TYPE_CHECKING:
    from gomodel_proxy.api.chat import Part, StreamEvent

REQUEST = ChatRequest("m", [])
ODD: list[Part] = [
    Text("Hi", signature="c2ln"),
    Media("document", file_id="file-1"),
    Opaque("x", "web_search", Raw(b"{}"), "found"),
]


def write(*events: StreamEvent) -> tuple[list[Any], tuple[str, ...]]:
    """Return the deltas of a stream, and what it lost."""
    losses = Losses()
    writer = ChatCodec().writer(REQUEST, losses=losses)
    out = writer.write([Start("id", "m"), *events, Finish("stop")]) + writer.close()
    chunks = [json.loads(one[6:]) for one in out.split(b"\n\n") if one.startswith(b"data: {")]
    return [choice["delta"] for chunk in chunks for choice in chunk["choices"]], losses.found


def test_a_stream_loses_what_a_whole_reply_does() -> None:
    whole = Losses()
    ChatCodec().write_reply(ChatReply("id", "m", [Choice(parts=ODD)]), REQUEST, losses=whole)
    assert whole.found == ("choices.signature", "choices.document", "choices.web_search")
    deltas, lost = write(*(PartStart(number, part) for number, part in enumerate(ODD)))
    assert lost == whole.found
    assert "".join(delta.get("content", "") for delta in deltas) == "Hifound"


def test_a_proof_that_belongs_to_no_thought_is_lost_and_said() -> None:
    _, lost = write(PartStart(0, ToolCall("t", "f")), Piece(0, "c2ln", "signature"), PartEnd(0))
    assert lost == ("choices.signature",)


def test_proofs_count_their_thoughts() -> None:
    deltas, lost = write(
        PartStart(0, Text("A")),
        PartStart(1, Reasoning(dialect="x")),
        Piece(1, "c2ln", "signature"),
        PartStart(2, Reasoning(dialect="x", encrypted="QUJD", redacted=True)),
    )
    proofs = [one for delta in deltas for one in delta.get("reasoning_details", ())]
    assert [(one["index"], one.get("signature"), one.get("data")) for one in proofs] == [
        (0, "c2ln", None),
        (1, None, "QUJD"),
    ]
    assert lost == ()
