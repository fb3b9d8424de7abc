"""Sending a call upstream, and again where that cannot pay twice.

A call is sent again only after a failed connection, a 429, a 503 with Retry-After, or a reused
connection that closed before the write had finished; anything else needs the operator's
``retry_unsafe``. Nothing is sent again once a byte has reached the caller.
"""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

from gomodel_proxy.api import (
    Ask,
    Attempt,
    InvalidRequest,
    Losses,
    UpstreamError,
    UpstreamTimeout,
    UpstreamUnreachable,
    Usage,
)

from .headers import caller_headers, typed, upstream_headers
from .held import Held
from .ids import now
from .replies import Answer, Whole, check
from .run import in_task
from .streams import EVENT_STREAM, Relay
from .translation import LOSSY, lossy_header, refuse_losses

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gomodel_proxy.api import (
        Call,
        Dialect,
        Fields,
        Headers,
        LedgerRow,
        Observer,
        Passage,
        Stage,
        Target,
        UpstreamRequest,
    )

    from .account import Account
    from .assets import Asset
    from .gate import Gate
    from .generation import Generation
    from .sinks import Sink
    from .translation import Lane
    from .turns import Turn

__all__ = ["Attempts"]


class _Sent:
    """One attempt: where it goes, how it is translated, what is sent, what the ledger says."""

    __slots__ = ("account", "attempt", "lane", "passage", "request")

    def __init__(
        self,
        account: Account,
        lane: Lane,
        passage: Passage | None,
        request: UpstreamRequest,
        attempt: Attempt,
    ) -> None:
        self.account = account
        self.lane = lane
        self.passage = passage
        self.request = request
        self.attempt = attempt


class Attempts:
    """All attempts of one call, over its targets in order."""

    def __init__(
        self,
        generation: Generation,
        call: Call,
        dialect: Dialect,
        fields: Fields,
        row: LedgerRow,
        sink: Sink,
        observers: Sequence[Observer],
        turn: Turn | None = None,
    ) -> None:
        self._g = generation
        self._call = call
        self._dialect = dialect
        self._fields = fields
        self._row = row
        self._sink = sink
        self._observers = observers
        self._turn = turn
        self._fetched: dict[str, Asset] = {}

    async def run(self, targets: Sequence[Target]) -> Answer | None:
        """Return the first answer, None when it was streamed; raises the last error."""
        upstream = self._g.configuration.upstream
        failover = self._g.configuration.routing.failover
        tries = 0
        place = 0
        while True:
            target = targets[place]
            account = self._g.accounts[target.provider]
            try:
                if account.gate is None:
                    return await self._send(account, target)
                return await self._gated(account.gate, account, target)
            except UpstreamError as error:
                error.headers = (*error.headers, ("x-gomodel-provider", account.name))
                tries += 1
                if self._sink.started or not _again(error, account) or tries > upstream.retries:
                    raise
                if failover and place + 1 < len(targets):
                    place += 1
                    continue
                wait = error.retry_after
                if wait is None:
                    wait = min(0.25 * 2**tries, upstream.retry_max_wait) * random.uniform(0.8, 1.2)  # noqa: S311
                elif wait > upstream.retry_max_wait:
                    raise
                self._g.log.info("upstream.retry", provider=account.name, wait=wait, tries=tries)
                await asyncio.sleep(wait)
                place = 0 if failover else place

    async def _gated(self, gate: Gate, account: Account, target: Target) -> Answer | None:
        await gate.enter(patient=self._call.batch is not None)
        try:
            return await self._send(account, target)
        finally:
            gate.leave()

    async def _send(self, account: Account, target: Target) -> Answer | None:
        call = self._call
        lane = self._g.lanes.find(account, self._dialect)
        if lane is None:
            raise UpstreamError(
                f"Provider '{account.name}' cannot be reached in the dialect {self._dialect.name}.",
                status=400,
                kind="invalid_request_error",
                code="dialect_not_supported",
                param="model",
            )
        self._row.losses.clear()
        fields, passage = self._fields, None
        if self._turn is not None:
            fields = self._turn.fields(self._dialect, fields, native=lane.translator is None)
            self._lose(self._turn.losses)
        if lane.translator is not None:
            passage = await self._passage(lane, fields, account, target)
            fields = lane.dialect.read(passage.body, {})
        request = self._request(account, target, lane, fields)
        call.target = target
        attempt = self._note(account, target)
        if self._g.durable:
            await self._g.books.durable()
        sent = _Sent(account, lane, passage, request, attempt)
        try:
            return await (self._stream(sent) if call.stream else self._whole(sent))
        except UpstreamError as error:
            account.masked(error)  # before anybody has seen it, the ledger included
            if passage is not None:
                error.body = b""  # the provider's shape is not the caller's
            attempt.status = "error"
            attempt.error = error.code or error.kind
            raise
        except asyncio.CancelledError:
            attempt.status = "cancelled"
            raise
        finally:
            attempt.latency = now() - attempt.started
            account.charge(attempt)

    def _request(
        self, account: Account, target: Target, lane: Lane, fields: Fields
    ) -> UpstreamRequest:
        call = self._call
        return account.provider.request(
            Ask(
                operation=call.operation,
                dialect=lane.dialect.name,
                model=target.model,
                stream=call.stream,
                body=fields.readdress(target.model, ask_usage=call.stream and account.asks_usage),
                headers=upstream_headers(call.headers, lane.forwarded, call.request_id),
            )
        )

    async def _passage(
        self, lane: Lane, fields: Fields, account: Account, target: Target
    ) -> Passage:
        await in_task()
        model = target.model
        body = fields.readdress(model, ask_usage=False)
        try:
            passage = await lane.begin(
                body, model, account.traits(model), self._g.assets, self._fetched
            )
        except InvalidRequest as error:
            if self._turn is not None:
                self._turn.correct(error)
            raise
        losses = passage.losses
        if self._turn is not None:
            losses = [self._turn.place(loss) for loss in losses]
        self._lose(losses)
        return passage

    def _lose(self, losses: Sequence[str]) -> None:
        """Report what this attempt loses of the request, or refuse in strict mode."""
        if self._call.strict:
            refuse_losses(losses)
        self._row.losses.extend(losses)

    def _note(self, account: Account, target: Target) -> Attempt:
        """Write down, before anything is sent, that this attempt is about to be."""
        row = self._row
        attempt = Attempt(
            id=f"{row.id}.{len(row.attempts)}",
            provider=account.name,
            type=account.type,
            model=target.model,
            started=now(),
        )
        row.attempts.append(attempt)
        row.provider = account.name
        row.type = account.type
        row.served_model = target.model
        if len(row.attempts) == 1:
            self._g.books.intent(row)
        else:
            self._g.books.attempt(row)
        return attempt

    async def _whole(self, sent: _Sent) -> Answer:
        receiver = Whole(self._g.configuration.upstream.reply_limit)
        exchange = receiver.exchange = sent.account.transport.open(sent.request, receiver)
        try:
            await receiver.done
        except asyncio.CancelledError:
            exchange.close()
            raise
        status, account, attempt = receiver.status, sent.account, sent.attempt
        attempt.http_status = status
        check(account, status, receiver.headers, receiver.body)
        dialect = sent.lane.dialect
        try:
            body, attempt.usage, created = dialect.reply(receiver.body, account.name)
        except UpstreamError:
            attempt.usage = dialect.usage(receiver.body)  # of no use, and yet it may cost money
            raise
        attempt.status = "ok"
        if created:
            self._own(created, account)
        if sent.passage is not None:
            body = self._translated(sent.passage, sent, receiver.body)
        headers = self._headers(typed(receiver.headers, "application/json"), account)
        return Answer(status, tuple(headers), body)

    def _translated(self, passage: Passage, sent: _Sent, body: bytes) -> bytes:
        """Return a provider's reply in the caller's dialect, with the provider named in it."""
        try:
            translation = passage.reply(body)
        except ValueError as error:
            raise UpstreamError(
                f"The provider's reply makes no sense: {error}", code="malformed_reply"
            ) from error
        self._row.losses.extend(translation.losses)
        if sent.attempt.usage is None:
            sent.attempt.usage = translation.usage
        return self._dialect.reply(translation.body, sent.account.name)[0]

    def _headers(self, headers: Headers, account: Account) -> list[tuple[str, str]]:
        kept = caller_headers(headers, account.name, self._call.request_id)
        if self._row.losses:
            kept.append((LOSSY, lossy_header(self._row.losses)))
        return kept

    async def _stream(self, sent: _Sent) -> None:
        g, call = self._g, self._call
        account, passage, attempt = sent.account, sent.passage, sent.attempt
        meter = sent.lane.dialect.meter(
            hide_usage=passage is None and account.asks_usage and not self._fields.asked_usage
        )
        losses = Losses()
        stages: list[Stage] = [] if passage is None else [passage.stream(losses)]
        for make in g.stages:
            stage = make(call, call.target)
            if stage is not None:
                stages.append(stage)
        if g.policy is not None:
            stages.extend(g.policy.stages(call))
        turn, held = self._turn, None
        keeping = None if turn is None else turn.stage()
        if turn is not None and keeping is not None:
            stages.append(keeping)
            held = Held(self._sink, lambda: turn.ended or relay.failing)
        relay = Relay(
            sink=held or self._sink,
            account=account,
            meter=meter,
            caller=self._dialect,
            stages=stages,
            observers=self._observers,
            begin=lambda headers: self._headers(typed(headers, "text/event-stream"), account),
            event_limit=g.configuration.upstream.event_limit,
            reply_limit=g.configuration.upstream.reply_limit,
            types=getattr(sent.lane.dialect, "stream_types", EVENT_STREAM),
        )
        exchange = relay.exchange = account.transport.open(sent.request, relay)
        try:
            await relay.done
        except asyncio.CancelledError:
            exchange.close()
            raise
        finally:
            attempt.http_status = relay.status or None
            if relay.first is not None:
                attempt.first_token = relay.first - attempt.started
            if relay.streaming:
                attempt.usage = meter.usage() or _estimate(relay, sent.request)
                self._own(meter.created, account)
            self._row.losses.extend(losses.found)  # headers went before anybody knew of these
        if not relay.streaming:
            raise _unstreamed(sent, relay)
        if turn is not None and held is not None:
            await turn.close(self._row, relay.error)
            held.release()
        if relay.error is None:
            attempt.status = "ok"
            return
        attempt.status = self._row.status = "error"
        attempt.error = self._row.error = relay.error.code or relay.error.kind
        g.log.warning(
            "upstream.stream_failed",
            provider=account.name,
            request_id=call.request_id,
            error=relay.error.message,
        )

    def _own(self, created: Sequence[str], account: Account) -> None:
        for item in created:
            kind, _, id_ = item.partition(":")
            self._g.enter_resource(kind, id_, self._call.principal.id, account.name)


def _again(error: UpstreamError, account: Account) -> bool:
    if isinstance(error, UpstreamUnreachable) or error.retry:
        return True
    unsure = isinstance(error, UpstreamTimeout) or error.status >= 500
    return account.config.retry_unsafe and unsure


def _estimate(relay: Relay, request: UpstreamRequest) -> Usage | None:
    """Return what a stream without a usage report must have cost, roughly."""
    if relay.first is None:
        return None
    return Usage(
        input=max(1, len(request.body) // 4), output=relay.meter.events, provenance="partial"
    )


def _unstreamed(sent: _Sent, relay: Relay) -> UpstreamError:
    """Return what it means that no stream came; a whole reply in its place has its price."""
    check(sent.account, relay.status, relay.headers, relay.body)
    dialect = sent.lane.dialect
    sent.attempt.usage = dialect.usage(relay.body)
    try:
        dialect.reply(relay.body, sent.account.name)
    except UpstreamError as error:
        if error.body:
            return error  # the vendor's own, though its status says otherwise
    kind = next((value for name, value in relay.headers if name == "content-type"), "nothing")
    return UpstreamError(
        f"A stream was asked for, and the provider answered with {len(relay.body)} bytes of "
        f"{kind[:80]}.",
        code="not_a_stream",
    )
