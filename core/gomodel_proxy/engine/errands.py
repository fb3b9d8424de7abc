"""Errands: asking a vendor about what it keeps for a caller, in the account where that lives.

They cost nothing and have no row in the ledger; what they create or delete is entered.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from gomodel_proxy.api import InvalidRequest, NotFound, UpstreamError

from .headers import FORWARDED, caller_headers, typed, upstream_headers
from .replies import Answer, check, fetch
from .streams import Relay
from .turns import UNSUPPORTED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gomodel_proxy.api import Dialect, Principal, UpstreamRequest

    from .account import Account
    from .generation import Generation
    from .sinks import Sink

__all__ = ["Errand", "keepers", "missing", "place", "run", "watch"]


class Errand(msgspec.Struct, frozen=True, kw_only=True):
    """What to ask. ``path`` is below ``/v1``; ``headers`` are the caller's, in lower case.

    ``allowed`` are the names of those that may go on.
    """

    method: str
    path: str
    query: str
    body: bytes
    headers: Mapping[str, str]
    allowed: frozenset[str]
    request_id: str


def keepers(g: Generation) -> list[Account]:
    """Return the accounts whose vendors keep responses."""
    return [
        account
        for account in g.accounts.values()
        if hasattr(account.provider, "resource_request")
        and account.provider.resource_request("GET", "/responses") is not None
    ]


def missing(kind: str, id_: str) -> NotFound:
    """Return the refusal of what does not exist, or is not the caller's."""
    return NotFound(f"No {kind} with id '{id_}' was found.", code=f"{kind}_not_found", param="id")


async def place(
    g: Generation, principal: Principal, kind: str, id_: str, provider: str | None
) -> Account:
    """Return the account where an id lives; raises `NotFound` for others than its owner.

    An admin may have made it at the vendor directly, at ``provider`` or at the only one there is.
    """
    unknown = missing(kind, id_)
    resource = await g.owner(kind, id_)
    if resource is None:
        if not principal.admin:
            raise unknown
        able = [one for one in keepers(g) if provider in (None, one.name)]
        if len(able) != 1:
            raise unknown
        return able[0]
    if resource.owner != principal.id and not principal.admin:
        raise unknown
    if resource.provider not in g.accounts:
        raise NotFound(
            f"This {kind} lives at '{resource.provider}', which is not configured any more.",
            code="resource_elsewhere",
            param="id",
        )
    return g.accounts[resource.provider]


async def run(g: Generation, account: Account, errand: Errand) -> Answer:
    """Return the vendor's answer as the caller gets it; raises `UpstreamError` for a refusal."""
    upstream = g.configuration.upstream
    try:
        whole = await fetch(
            account.transport,
            _request(account, errand),
            limit=upstream.reply_limit,
            within=upstream.first_byte_timeout,
        )
        check(account, whole.status, whole.headers, whole.body)
    except UpstreamError as error:
        raise _told(account, error) from error
    headers = caller_headers(whole.headers, account.name, errand.request_id)
    return Answer(whole.status, tuple(headers), whole.body)


async def watch(
    g: Generation, account: Account, errand: Errand, dialect: Dialect, sink: Sink
) -> None:
    """Pass on the stream of a response that is under way or over; raises `UpstreamError`."""
    upstream = g.configuration.upstream
    relay = Relay(
        sink=sink,
        account=account,
        meter=dialect.meter(hide_usage=False),
        caller=dialect,
        stages=(),
        observers=(),
        begin=lambda headers: caller_headers(
            typed(headers, "text/event-stream"), account.name, errand.request_id
        ),
        event_limit=upstream.event_limit,
        reply_limit=upstream.reply_limit,
    )
    exchange = relay.exchange = account.transport.open(_request(account, errand), relay)
    try:
        await relay.done
        if not relay.streaming:
            check(account, relay.status, relay.headers, relay.body)
            raise UpstreamError("The provider sent no stream.", code="not_a_stream")
    except asyncio.CancelledError:
        exchange.close()
        raise
    except UpstreamError as error:
        raise _told(account, error) from error


def _request(account: Account, errand: Errand) -> UpstreamRequest:
    make = getattr(account.provider, "resource_request", None)
    request: UpstreamRequest | None = make and make(
        errand.method, errand.path, body=errand.body, query=errand.query
    )
    if request is None:
        raise InvalidRequest(
            f"Provider '{account.name}' keeps no responses.", code=UNSUPPORTED, status=501
        )
    sent = {name for name, _ in request.headers}
    allowed = (FORWARDED | errand.allowed) - sent
    extra = upstream_headers(errand.headers, allowed, errand.request_id)
    return msgspec.structs.replace(request, extra=extra)


def _told(account: Account, error: UpstreamError) -> UpstreamError:
    account.masked(error)
    error.headers = (*error.headers, ("x-gomodel-provider", account.name))
    return error
