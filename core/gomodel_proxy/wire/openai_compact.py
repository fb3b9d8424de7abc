"""Compaction of responses: platform.openai.com/docs/api-reference/responses/compact (2026-11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gomodel_proxy.api import InvalidRequest

from .openai_responses import OpenAIResponses
from .openai_responses_history import ResponsesHistory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from msgspec import Raw

    from gomodel_proxy.api import GatewayError

    from .openai_request import Request

__all__ = ["OpenAICompact"]

_IMPOSSIBLE: Final = frozenset({"operation_not_supported", "dialect_not_supported"})


class OpenAICompact(OpenAIResponses):
    """``openai.compact``: a long conversation in, a short one with its essence encrypted out.

    Only the vendor who made the essence can read it, so nobody else can do this.
    """

    name = "openai.compact"
    operation = "compact"
    paths = ("/v1/responses/compact",)
    codec = None
    history = ResponsesHistory(keeps=False)

    def error(self, error: GatewayError) -> bytes:
        """Return an error as a JSON body."""
        if error.code in _IMPOSSIBLE:
            error = InvalidRequest(
                error.message, code="unsupported_response_operation", param="model"
            )
        return super().error(error)

    def _read(self, body: bytes, members: dict[str, Raw]) -> Request:
        fields = super()._read(body, members)
        fields.stream = False
        return fields

    def _created(self, reply: dict[str, Raw]) -> Sequence[str]:
        return ()
