"""Results with their charges, within the caller's transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gomodel_proxy_sqlite import ledger
from gomodel_proxy_sqlite.table import Table

from . import rows
from .line_rows import CHOSEN, chosen
from .rows import place

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence

    from gomodel_proxy.api import Fold, Outcome

RESULTS: Final = Table(
    "batch_results", required=("place", "provider", "model", "status_code", "result")
)

Lines = dict[int, tuple[int | None, int | None]]
"""Token and shipment of lines without a result, by place."""


def commit(
    connection: sqlite3.Connection, outcomes: Sequence[Outcome], fold: Fold
) -> tuple[Sequence[bool], bool]:
    """Keep results; return which, and whether somebody may have something new to do."""
    kept = [False] * len(outcomes)
    stirred = False
    for id_, numbers in _by_batch(outcomes).items():
        found = rows.find(connection, id_)
        if found is None or rows.ended(found.batch):
            continue
        places = {number: place(found.key, outcomes[number].index) for number in numbers}
        accepted = _acceptable(connection, outcomes, places)
        if accepted:
            chosen_ = [outcomes[number] for number in accepted]
            _keep(connection, chosen_, [places[number] for number in accepted])
            _, new = rows.change(connection, found, lambda batch: fold(batch, chosen_))  # noqa: B023 (called here)
            stirred = stirred or new
        for number in accepted:
            kept[number] = True
    ledger.enter(
        connection,
        [row for outcome, mine in zip(outcomes, kept, strict=True) if mine for row in outcome.rows],
    )
    return kept, stirred


def _by_batch(outcomes: Sequence[Outcome]) -> Mapping[str, list[int]]:
    numbers: dict[str, list[int]] = {}
    for number, outcome in enumerate(outcomes):
        numbers.setdefault(outcome.batch, []).append(number)
    return numbers


def _acceptable(
    connection: sqlite3.Connection, outcomes: Sequence[Outcome], places: Mapping[int, int]
) -> list[int]:
    """Return the numbers of outcomes whose line has no result and is theirs to settle."""
    lines: Lines = {
        at: (token, shipment)
        for at, token, shipment in connection.execute(
            f"SELECT place, token, shipment FROM batch_lines WHERE {CHOSEN} AND failed IS NULL",  # noqa: S608
            (chosen(places.values()),),
        )
    }
    accepted = []
    for number, at in places.items():
        if at in lines and _may(outcomes[number], *lines[at]):
            del lines[at]
            accepted.append(number)
    return accepted


def _may(outcome: Outcome, token: int | None, shipment: int | None) -> bool:
    return shipment is not None if outcome.token is None else outcome.token == token


def _keep(
    connection: sqlite3.Connection, outcomes: Sequence[Outcome], places: Sequence[int]
) -> None:
    RESULTS.insert(
        connection,
        [
            (at, outcome.provider, outcome.model, outcome.status_code, outcome.result)
            for at, outcome in zip(places, outcomes, strict=True)
        ],
    )
    for failed in (False, True):
        connection.execute(
            f"UPDATE batch_lines SET failed = ?, token = NULL, until = NULL WHERE {CHOSEN}",  # noqa: S608
            (
                failed,
                chosen(
                    at
                    for at, outcome in zip(places, outcomes, strict=True)
                    if outcome.failed is failed
                ),
            ),
        )
