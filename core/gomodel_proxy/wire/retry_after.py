"""How long a vendor asks us to wait: ``Retry-After`` (RFC 9110 §10.2.3) and its kin."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gomodel_proxy.api import Headers

__all__ = ["retry_after"]

_NUMBER: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?\Z")
_DATE: Final = re.compile(  # RFC 9110 §5.6.7; its two obsolete forms are not read
    r"[A-Z][a-z]{2}, ([0-9]{2}) ([A-Z][a-z]{2}) ([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) GMT\Z"
)
_MONTHS: Final = (
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "May",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Oct",
    "Nov",
    "Dec",
)


def retry_after(headers: Headers) -> float | None:
    """Return the seconds to wait, None if the headers do not say.

    Milliseconds (``retry-after-ms``, ``x-ms-retry-after-ms``) go before ``retry-after``, which
    they refine. A date is taken relative to the reply's own ``date``, never to a clock here.
    """
    said = {name.lower(): value.strip() for name, value in headers}
    for name in ("retry-after-ms", "x-ms-retry-after-ms"):
        if _NUMBER.match(value := said.get(name, "")):
            return float(value) / 1000
    value = said.get("retry-after", "")
    if _NUMBER.match(value):
        return float(value)
    until, now = _date(value), _date(said.get("date", ""))
    if until is None or now is None:
        return None
    return max(0.0, (until - now).total_seconds())


def _date(text: str) -> datetime | None:
    found = _DATE.match(text)
    if found is None or found[2] not in _MONTHS:
        return None
    day, month, year = int(found[1]), _MONTHS.index(found[2]) + 1, int(found[3])
    hour, minute, second = int(found[4]), int(found[5]), int(found[6])
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
