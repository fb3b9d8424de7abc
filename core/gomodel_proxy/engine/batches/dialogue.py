"""Talking with a vendor about batches: a provider's steps are taken, its refusals handed back."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from gomodel_proxy.api import UpstreamError, VendorReply
from gomodel_proxy.engine.replies import check, fetch

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gomodel_proxy.api import Steps, UpstreamRequest
    from gomodel_proxy.engine.account import Account
    from gomodel_proxy.engine.generation import Generation

__all__ = ["ask", "converse", "dismiss"]

T = TypeVar("T")

_SENSELESS = (ValueError, KeyError, TypeError, AttributeError)  # of replies with another shape


async def converse(g: Generation, account: Account, steps: Steps[T]) -> T:
    """Take all steps and return what they come to; raises `UpstreamError`, masked.

    LookupError from the steps themselves passes: it is `Shipping.find`'s "cannot be told".
    """
    failure: UpstreamError | None = None
    reply: VendorReply | None = None
    while True:
        try:
            if failure is not None:
                request = steps.throw(failure)
            else:
                request = next(steps) if reply is None else steps.send(reply)
        except StopIteration as stop:
            result: T = stop.value
            return result
        except UpstreamError as error:
            raise account.masked(error) from None
        except _SENSELESS as error:
            raise UpstreamError(
                f"The provider's reply makes no sense ({type(error).__name__}).",
                code="malformed_reply",
            ) from error
        failure = None
        try:
            reply = await ask(g, account, request)
        except UpstreamError as error:
            failure = error


async def ask(g: Generation, account: Account, request: UpstreamRequest) -> VendorReply:
    """Return the reply to one request; raises `UpstreamError` for anything but success."""
    upstream = g.configuration.upstream
    whole = await fetch(
        account.transport,
        request,
        limit=upstream.reply_limit,
        within=upstream.first_byte_timeout,
    )
    check(account, whole.status, whole.headers, whole.body)
    return VendorReply(whole.status, tuple(whole.headers), whole.body)


async def dismiss(g: Generation, account: Account, requests: Iterable[UpstreamRequest]) -> None:
    """Send what may fail."""
    for request in requests:
        with suppress(UpstreamError):
            await ask(g, account, request)
