"""The queue: leasing lines and giving them back, within the caller's transaction."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec.structs import replace

from gomodel_proxy.api import Lease
from gomodel_proxy.wire import stored_batches

from . import rows
from .claims import next_token
from .line_rows import CHOSEN, COLUMNS, WHOLE, chosen, line
from .rows import place

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence

    from gomodel_proxy.api import Release

# The indexes are named because no statistics are kept: by guessing, SQLite may well take to
# walking all lines in order.
_MINE: Final = "l.batch = b.key AND l.provider = :provider"
_OPEN: Final = (
    "batch_lines AS l INDEXED BY batch_lines_open WHERE {} AND l.failed IS NULL "
    "AND l.token IS NULL AND l.until IS NULL AND l.shipment IS NULL"
)
_HELD: Final = (
    "batch_lines AS l INDEXED BY batch_lines_held WHERE {} AND l.token IS NULL AND l.until <= :now"
)
_RUN_OUT: Final = (
    "batch_lines AS l INDEXED BY batch_lines_leased WHERE {} AND l.token IS NOT NULL "
    "AND l.until <= :now"
)
_LEASED: Final = _RUN_OUT.replace("<=", ">")

_SHARERS: Final = f"""
SELECT key, id, served, (SELECT count(*) FROM {_LEASED.format(_MINE)})
FROM batches AS b INDEXED BY batches_in_progress
WHERE status = 'in_progress' AND (
    EXISTS (SELECT 1 FROM {_OPEN.format(_MINE)})
    OR EXISTS (SELECT 1 FROM {_HELD.format(_MINE)})
    OR EXISTS (SELECT 1 FROM {_RUN_OUT.format(_MINE)})
)
"""  # noqa: S608 (constants)
_CHOSEN_BATCH: Final = "l.batch = :batch AND l.provider = :provider"
_NEXT: Final = f"""
SELECT place, again FROM (
    SELECT * FROM (SELECT l.place, 0 AS again FROM {_OPEN.format(_CHOSEN_BATCH)}
                   ORDER BY l.place LIMIT :limit)
    UNION ALL
    SELECT l.place, 0 FROM {_HELD.format(_CHOSEN_BATCH)}
    UNION ALL
    SELECT l.place, 1 FROM {_RUN_OUT.format(_CHOSEN_BATCH)}
) ORDER BY place LIMIT :limit
"""  # noqa: S608 (constants)


class Sharer(NamedTuple):
    """A batch that has lines for a provider; who has less under way comes first."""

    leased: int
    served: int
    key: int
    id: str


class Terms(NamedTuple):
    """What all leases of a call have in common."""

    provider: str
    token: int
    now: int
    until: int


def lease(
    connection: sqlite3.Connection, room: Mapping[str, int], now: int, until: int
) -> Sequence[Lease]:
    """Take lines of batches in progress, for each provider at most what it has room for."""
    leases: list[Lease] = []
    token: int | None = None
    for provider, places in room.items():
        sharers = _sharers(connection, provider, now) if places > 0 else []
        if sharers and token is None:
            token = next_token(connection)
        while sharers and places > 0 and token is not None:
            terms = Terms(provider, token, now, until)
            given, sharers = _round(connection, sharers, places, terms)
            leases += given
            places -= len(given)
    return leases


def _sharers(connection: sqlite3.Connection, provider: str, now: int) -> list[Sharer]:
    found = connection.execute(_SHARERS, {"provider": provider, "now": now})
    return [Sharer(leased, served, key, id_) for key, id_, served, leased in found]


def _round(
    connection: sqlite3.Connection, sharers: Sequence[Sharer], places: int, terms: Terms
) -> tuple[list[Lease], list[Sharer]]:
    """Share the room among batches; return their lines, and the batches that may have more."""
    given: list[Lease] = []
    more: list[Sharer] = []
    for sharer, share in _shares(sharers, places):
        if share == 0:
            more.append(sharer)
            continue
        taken = _take(connection, sharer, share, terms)
        given += taken
        if len(taken) == share:
            more.append(sharer._replace(leased=sharer.leased + share, served=terms.token))
    return given, more


def _shares(sharers: Sequence[Sharer], places: int) -> list[tuple[Sharer, int]]:
    """Give each place to the batch that has the least under way, the longest unserved first."""
    shares = [0] * len(sharers)
    waiting = [(*sharer[:3], n) for n, sharer in enumerate(sharers)]
    heapq.heapify(waiting)
    for _ in range(places):
        leased, served, key, n = waiting[0]
        shares[n] += 1
        heapq.heapreplace(waiting, (leased + 1, served, key, n))
    return list(zip(sharers, shares, strict=True))


def _take(connection: sqlite3.Connection, sharer: Sharer, limit: int, terms: Terms) -> list[Lease]:
    found = connection.execute(
        _NEXT, {"batch": sharer.key, "provider": terms.provider, "now": terms.now, "limit": limit}
    ).fetchall()
    places = chosen(at for at, _ in found)
    connection.execute(
        f"UPDATE batch_lines SET token = ?, until = ? WHERE {CHOSEN}",  # noqa: S608 (constants)
        (terms.token, terms.until, places),
    )
    connection.execute("UPDATE batches SET served = ? WHERE key = ?", (terms.token, sharer.key))
    _count_again(connection, sharer.key, sum(again for _, again in found))
    lines = connection.execute(
        f"SELECT tries, {COLUMNS} FROM {WHOLE} WHERE {CHOSEN} ORDER BY place",  # noqa: S608
        (places,),
    )
    return [
        Lease(batch=sharer.id, line=line(*row), token=terms.token, tries=tries)
        for tries, *row in lines
    ]


def _count_again(connection: sqlite3.Connection, key: int, again: int) -> None:
    if not again:
        return
    (data,) = connection.execute("SELECT data FROM batches WHERE key = ?", (key,)).fetchone()
    rows.change(
        connection,
        rows.Found(key, stored_batches.read(data)),
        lambda batch: replace(batch, resent=batch.resent + again),
    )


def renew(
    connection: sqlite3.Connection, leases: Sequence[tuple[str, int, int]], until: int
) -> Sequence[bool]:
    """Hold leases, as (batch, index, token), for longer; False for each that is lost."""
    keys = _keys(connection, {id_ for id_, _, _ in leases}, "AND status = 'in_progress'")
    places = [place(keys[id_], index) if id_ in keys else -1 for id_, index, _ in leases]
    tokens = dict(
        connection.execute(
            f"SELECT place, token FROM batch_lines WHERE {CHOSEN} AND token IS NOT NULL",  # noqa: S608
            (chosen(places),),
        ).fetchall()
    )
    held = [tokens.get(at) == token for at, (_, _, token) in zip(places, leases, strict=True)]
    connection.execute(
        f"UPDATE batch_lines SET until = ? WHERE {CHOSEN}",  # noqa: S608 (constants)
        (until, chosen(at for at, mine in zip(places, held, strict=True) if mine)),
    )
    return held


def release(connection: sqlite3.Connection, releases: Sequence[Release]) -> None:
    """Give lines back; those whose lease is lost are no error."""
    keys = _keys(connection, {one.batch for one in releases})
    connection.executemany(
        "UPDATE batch_lines SET token = NULL, until = nullif(?, 0), tries = tries + ? "
        "WHERE place = ? AND token = ?",
        [
            (one.due, one.tried, place(keys[one.batch], one.index), one.token)
            for one in releases
            if one.batch in keys
        ],
    )


def leased(connection: sqlite3.Connection, key: int, now: int) -> int:
    """Return how many lines are under way, by leases that have not run out."""
    (number,) = connection.execute(
        f"SELECT count(*) FROM {_LEASED.format('l.batch = :batch')}",  # noqa: S608 (constants)
        {"batch": key, "now": now},
    ).fetchone()
    return int(number)


def _keys(connection: sqlite3.Connection, ids: set[str], further: str = "") -> Mapping[str, int]:
    found = {}
    for id_ in ids:
        row = connection.execute(
            f"SELECT key FROM batches WHERE id = ? {further}",  # noqa: S608 (constants)
            (id_,),
        ).fetchone()
        if row is not None:
            found[id_] = row[0]
    return found
