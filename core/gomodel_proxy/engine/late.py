"""Usage that comes late: of responses that a vendor makes after it has answered.

Such an answer has no usage, so the row of the request that asked for it has none either. Its
dialect marks it as `UNMETERED` among what it created; whoever first sees the finished response has
its usage entered in a row of its own. The row's id follows from the response's, so that it is
entered once, however many workers see it, and whatever becomes of the mark.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from gomodel_proxy.api import Attempt, LedgerRow
from gomodel_proxy.wire import json
from gomodel_proxy.wire.openai_reply import read_reply

from .errands import Errand, run
from .ids import now

if TYPE_CHECKING:
    from gomodel_proxy.api import Dialect, Principal, Resource, Usage

    from .account import Account
    from .generation import Generation

__all__ = ["DIALECT", "UNMETERED", "enter", "fetch", "row_id", "waits"]

DIALECT: Final = "openai.responses"
"""The only one that has responses in the background."""

UNMETERED: Final = "unmetered"
"""The kind of `Resource` that marks a response whose usage is not known yet."""


async def waits(g: Generation, id_: str) -> bool:
    """Return whether the usage of a response is still to be entered."""
    return await g.owner(UNMETERED, id_) is not None


async def fetch(g: Generation, account: Account, id_: str, request_id: str) -> bytes:
    """Return a response as its vendor has it now; raises `UpstreamError` if he gives none."""
    errand = Errand(
        method="GET",
        path=f"/responses/{quote(id_, safe='')}",
        query="",
        body=b"",
        headers={},
        allowed=frozenset(),
        request_id=request_id,
    )
    return (await run(g, account, errand)).body


async def enter(
    g: Generation, account: Account, id_: str, body: bytes, principal: Principal | None = None
) -> bool:
    """Enter the usage in a response of the vendor's, if it waits for that and has one now.

    Its maker has a user path that is only known where he is the one who asks, as ``principal``.
    """
    dialect = g.dialects[DIALECT]
    mark = await g.owner(UNMETERED, id_)
    usage = None if mark is None else dialect.usage(body)
    if mark is None or usage is None:
        return False
    model = read_reply(body).get("model", json.NULL)
    name = json.loads(bytes(model)) if json.kind(model) == "string" else ""
    row = _row(mark, account, dialect, name, usage)
    if principal is not None and principal.id == mark.owner:
        row.user_path = principal.user_path
    g.books.settle(row)
    await g.books.disown(UNMETERED, id_)
    return True


def _row(mark: Resource, account: Account, dialect: Dialect, model: str, usage: Usage) -> LedgerRow:
    id_ = row_id(mark)
    since = now() - mark.created
    attempt = Attempt(
        id=f"{id_}.0",
        provider=account.name,
        type=account.type,
        model=model,
        started=mark.created,
        status="ok",
        latency=since,
        usage=usage,
    )
    account.charge(attempt)
    return LedgerRow(
        id=id_,
        request_id=id_,
        started=mark.created,
        principal=mark.owner,
        user_path="/",
        operation=dialect.operation,
        dialect=dialect.name,
        model=model,
        provider=account.name,
        type=account.type,
        served_model=model,
        status="ok",
        latency=since,
        attempts=[attempt],
    )


def row_id(mark: Resource) -> str:
    """Return an id in the form of all others, made of the response's and its time."""
    digest = sha256(f"{mark.provider}\n{mark.id}".encode()).hexdigest()
    return f"req_{mark.created // 1000:012x}7{digest[:3]}8{digest[3:18]}"
