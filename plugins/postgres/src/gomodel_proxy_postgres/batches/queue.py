"""The queue: leasing lines and giving them back. Each is one statement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gomodel_proxy.api import BatchLine, Lease
from gomodel_proxy_postgres.text import all_escaped

from .line_rows import COLUMNS, LIST, at

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from asyncpg import Connection

    from gomodel_proxy.api import Release

# One statement, so that nobody waits for more of it than the server itself needs.
#
# Of each provider's lanes that have something, those with the least under way, at most as many as
# there is room for lines; counted before they are locked, so a little late among several processes.
# A lane is locked while its lines are handed out; what others committed meanwhile is seen in its
# `next`. Leases that have run out and are just being renewed, committed or given back are not
# waited for.
#
# A lane's nth line would be its (under way + n)th: in this order lines are taken, and the room is
# shared evenly. Lanes that were served longest ago come first among equals.
_LEASE: Final = f"""
WITH rooms AS (
    SELECT * FROM unnest($1::text[], $2::bigint[]) AS given (provider, room)
), candidates AS MATERIALIZED (
    SELECT * FROM (
        SELECT lane.batch, lane.provider, room, lane.next AS seen, leased.first, leased.number,
            row_number() OVER (
                PARTITION BY lane.provider ORDER BY leased.number, lane.served, lane.batch
            ) AS nth
        FROM rooms JOIN batch_lanes lane ON lane.provider = rooms.provider AND lane.active,
            LATERAL (
                SELECT min(index) AS first, count(*) FILTER (WHERE until > $3) AS number,
                    coalesce(bool_or(until <= $3 AND due <= $3), false) AS again
                FROM batch_leases
                WHERE batch = lane.batch AND provider = lane.provider AND index >= lane.low
            ) leased
        WHERE leased.again OR EXISTS (
            SELECT FROM batch_lines
            WHERE batch = lane.batch AND provider = lane.provider AND shipment IS NULL
            AND index >= lane.next
        )
    ) able WHERE nth <= room
), lanes AS MATERIALIZED (
    SELECT lane.batch, lane.provider, lane.next, lane.low, lane.served, room, seen, first, number
    FROM candidates JOIN batch_lanes lane USING (batch, provider)
    WHERE lane.active
    ORDER BY lane.batch, lane.provider FOR UPDATE OF lane
), again AS MATERIALIZED (
    SELECT lanes.batch, lanes.provider, old.index, old.tries, old.until > 0 AS ran_out
    FROM lanes, LATERAL (
        SELECT index, tries, until FROM batch_leases
        WHERE batch = lanes.batch AND provider = lanes.provider AND index >= lanes.low
        AND until <= $3 AND due <= $3
        ORDER BY index LIMIT lanes.room FOR UPDATE SKIP LOCKED
    ) old
), fresh AS (
    SELECT lanes.batch, lanes.provider, new.index
    FROM lanes, LATERAL (
        SELECT index FROM batch_lines
        WHERE batch = lanes.batch AND provider = lanes.provider AND shipment IS NULL
        AND index >= lanes.next
        ORDER BY index LIMIT lanes.room
    ) new
), open AS (
    SELECT *, row_number() OVER (PARTITION BY batch, provider ORDER BY index) AS nth FROM (
        SELECT batch, provider, index, tries, ran_out, false AS new FROM again
        UNION ALL SELECT batch, provider, index, 0, false, true FROM fresh
    ) both_kinds
), chosen AS MATERIALIZED (
    SELECT * FROM (
        SELECT open.*, room, row_number() OVER (
            PARTITION BY provider ORDER BY number + open.nth, served, batch
        ) AS place
        FROM open JOIN lanes USING (batch, provider)
    ) placed WHERE place <= room
), taking AS MATERIALIZED (
    SELECT nextval('batch_tokens') AS token
), retaken AS (
    UPDATE batch_leases old SET token = taking.token, until = $4
    FROM chosen, taking
    WHERE NOT new AND old.batch = chosen.batch AND old.index = chosen.index
), taken AS (
    INSERT INTO batch_leases (batch, index, provider, token, until)
    SELECT batch, index, provider, taking.token, $4 FROM chosen, taking WHERE new
), moved AS (
    UPDATE batch_lanes lane SET
        next = greatest(lane.next, given.last + 1),
        low = least(lanes.first, lanes.seen),
        served = taking.token,
        resent = lane.resent + given.ran_out
    FROM lanes, taking, (
        SELECT batch, provider, max(index) FILTER (WHERE new) AS last,
            count(*) FILTER (WHERE ran_out) AS ran_out
        FROM chosen GROUP BY batch, provider
    ) given
    WHERE lane.batch = lanes.batch AND lane.provider = lanes.provider
    AND lane.batch = given.batch AND lane.provider = given.provider
)
SELECT batches.id, taking.token, chosen.tries, {LIST}
FROM chosen CROSS JOIN taking
JOIN batch_lines l ON l.batch = chosen.batch AND l.index = chosen.index
JOIN batches ON batches.key = chosen.batch
ORDER BY chosen.provider, chosen.place
"""  # noqa: S608 (constants)

# Leases are always taken in order, so nobody waits for somebody who waits for him.
_HELD: Final = """
FROM (
    SELECT w.batch, w.index, {} FROM {} AS given
    JOIN batches ON batches.id = given.id
    JOIN batch_leases w ON w.batch = batches.key AND w.index = given.index
    AND w.token = given.token {}
    ORDER BY w.batch, w.index FOR UPDATE OF w
) held WHERE lease.batch = held.batch AND lease.index = held.index
"""
_RENEW: Final = (
    "UPDATE batch_leases lease SET until = $4 "  # noqa: S608 (constants)
    + _HELD.format(
        "given.place",
        "unnest($1::text[], $2::bigint[], $3::bigint[]) WITH ORDINALITY",
        "JOIN batch_lanes lane ON lane.batch = w.batch AND lane.provider = w.provider "
        "AND lane.active",
    ).replace("AS given", "AS given (id, index, token, place)")
    + "RETURNING held.place"
)
_RELEASE: Final = (
    "UPDATE batch_leases lease SET token = NULL, until = 0, due = held.due, "  # noqa: S608
    "tries = tries + held.tried "
    + _HELD.format(
        "given.due, given.tried",
        "unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::integer[])",
        "",
    ).replace("AS given", "AS given (id, index, token, due, tried)")
)


async def lease(
    connection: Connection, room: Mapping[str, int], now: int, until: int
) -> Sequence[Lease]:
    """Take open lines of batches in progress."""
    wanted = {provider: number for provider, number in room.items() if number > 0}
    if not wanted:
        return []
    rows = await connection.fetch(_LEASE, all_escaped(wanted), list(wanted.values()), now, until)
    return [
        Lease(
            batch=row["id"],
            line=BatchLine(**{name: row[name] for name in COLUMNS}),
            token=row["token"],
            tries=row["tries"],
        )
        for row in rows
    ]


async def renew(
    connection: Connection, leases: Sequence[tuple[str, int, int]], until: int
) -> Sequence[bool]:
    """Hold leases for longer; False for each that is lost."""
    rows = await connection.fetch(
        _RENEW,
        all_escaped(batch for batch, _, _ in leases),
        [at(index) for _, index, _ in leases],
        [token for _, _, token in leases],
        until,
    )
    kept = {row["place"] for row in rows}
    return [place in kept for place in range(1, len(leases) + 1)]


async def release(connection: Connection, releases: Sequence[Release]) -> None:
    """Give lines back; those whose lease is lost are left alone."""
    await connection.execute(
        _RELEASE,
        all_escaped(one.batch for one in releases),
        [at(one.index) for one in releases],
        [one.token for one in releases],
        [one.due for one in releases],
        [int(one.tried) for one in releases],
    )


async def leased(connection: Connection, id_: str, now: int) -> int:
    """Return how many lines of a batch are under way."""
    number = await connection.fetchval(
        "SELECT count(*) FROM batch_leases "
        "WHERE batch = (SELECT key FROM batches WHERE id = $1) AND until > $2",
        id_,
        now,
    )
    return int(number)
