"""Limits, guardrails and the cache: steps that exist only where the configuration has them."""

from __future__ import annotations

import hashlib
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from .run import in_task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gomodel_proxy.api import Cache, Call, Guardrail, Limit, Stage, Target

__all__ = ["Policy"]


class Policy:
    """All configured limits and guardrails, in the file's order, and the cache."""

    def __init__(
        self, limits: Sequence[Limit], guardrails: Sequence[Guardrail], cache: Cache | None
    ) -> None:
        self._limits = limits
        self._guardrails = guardrails
        self._cache = cache

    async def admit(self, call: Call) -> AsyncExitStack:
        """Enter every limit; close the returned stack when the call is over."""
        await in_task()
        stack = AsyncExitStack()
        try:
            for limit in self._limits:
                await stack.enter_async_context(limit.admit(call))
        except BaseException:
            await stack.aclose()
            raise
        return stack

    async def request(self, call: Call) -> bool:
        """Let the guardrails rewrite ``call.body``; return whether one did."""
        before = call.body
        for guardrail in self._guardrails:
            changed = await guardrail.request(call)
            if changed is not None:
                call.body = changed
        return call.body is not before

    async def reply(self, call: Call, body: bytes) -> bytes:
        """Let the guardrails rewrite a whole reply."""
        for guardrail in self._guardrails:
            changed = await guardrail.reply(call, body)
            body = body if changed is None else changed
        return body

    def stages(self, call: Call) -> list[Stage]:
        """Return the guardrails' stages for a stream."""
        found = (guardrail.stage(call) for guardrail in self._guardrails)
        return [stage for stage in found if stage is not None]

    async def cached(self, call: Call, target: Target) -> bytes | None:
        """Return a reply kept for the same tenant, target and body."""
        if self._cache is None or call.stream:
            return None
        return await self._cache.get(_key(call, target))

    async def keep(self, call: Call, target: Target, reply: bytes) -> None:
        """Keep a reply."""
        if self._cache is not None and not call.stream:
            await self._cache.put(_key(call, target), reply)


def _key(call: Call, target: Target) -> str:
    digest = hashlib.sha256()
    parts = (call.principal.id, call.user_path, call.dialect, target.provider, target.model)
    for part in parts:
        digest.update(part.encode() + b"\0")
    digest.update(call.body)
    return digest.hexdigest()
