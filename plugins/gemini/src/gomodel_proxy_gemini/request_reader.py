"""Requests, read: ai.google.dev/api/generate-content (2026-11).

The vendor's body names neither the model nor whether to stream: both stand in the URL. Inside the
gateway they stand in the body, where `carriage` puts them.
"""

from __future__ import annotations

from gomodel_proxy.api.chat import ChatRequest

from .contents import read_contents, read_system
from .nodes import Node
from .settings import read_settings
from .tools import read_choice, read_tools
from .words import tier_of

__all__ = ["read_request"]


def read_request(body: bytes) -> ChatRequest:
    """Return a request; raises `InvalidRequest` naming the member at fault."""
    members = Node(body)
    request = ChatRequest(
        members.text("model") or "",
        [*read_system(members), *read_contents(members)],
        tools=read_tools(members),
        stream=members.boolean("stream") or False,
        service_tier=tier_of(members.text("serviceTier")),
        store=members.boolean("store"),
        names={"service_tier": members.place("serviceTier")},
        extra={},
    )
    read_settings(members, request)
    request.tool_choice = read_choice(members, request.extra)
    request.extra.update(members.extra)
    return request
