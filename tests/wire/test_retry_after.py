"""How long a vendor asks us to wait."""

from __future__ import annotations

import pytest

from gomodel_proxy.wire.retry_after import retry_after

DATE = ("date", "Sun, 22 Nov 2026 20:00:00 GMT")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ((), None),
        ((("retry-after", "7"),), 7.0),
        ((("Retry-After", " 1.5 "),), 1.5),
        ((("retry-after-ms", "250"), ("retry-after", "1")), 0.25),
        ((("x-ms-retry-after-ms", "1500"),), 1.5),
        ((("retry-after-ms", "soon"), ("retry-after", "2")), 2.0),
        ((("retry-after", "Sun, 22 Nov 2026 20:01:30 GMT"), DATE), 90.0),
        ((("retry-after", "Sun, 22 Nov 2026 19:59:00 GMT"), DATE), 0.0),
        ((("retry-after", "Sun, 22 Nov 2026 20:01:30 GMT"),), None),
        ((("retry-after", "Sun, 99 Nov 99999999999 20:01:30 GMT"), DATE), None),
        ((("retry-after", "Sun, 31 Feb 2026 20:01:30 GMT"), DATE), None),
        ((("retry-after", "Sun, 22 Foo 2026 20:01:30 GMT"), DATE), None),
        ((("retry-after", "Tue, 01 Dec 2026 00:00:00 GMT"), DATE), 8 * 86400 + 4 * 3600.0),
        ((("retry-after", "-3"),), None),
        ((("retry-after", "nan"),), None),
        ((("retry-after", "1e9"),), None),
        ((("retry-after", "9" * 400),), None),
    ],
)
def test_seconds(headers: tuple[tuple[str, str], ...], seconds: float | None) -> None:
    assert retry_after(headers) == seconds
