"""Sizes and durations as people write them."""

from __future__ import annotations

from typing import Any

import pytest

from gomodel_proxy.config.scalars import Duration, Size, reader, shown


def read(type_: Any, written: object) -> Any:
    read_one = reader(type_)
    assert read_one is not None
    return read_one(written)


@pytest.mark.parametrize(
    ("written", "size"),
    [
        ("32MiB", 33_554_432),
        ("10MB", 10_000_000),
        ("8 kib", 8192),
        ("1.5GiB", 1_610_612_736),
        ("512", 512),
        ("512B", 512),
        (512, 512),
        (0, 0),
    ],
)
def test_sizes(written: object, size: int) -> None:
    assert read(Size, written) == size
    assert isinstance(read(Size, written), int)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("250ms", 0.25), ("10s", 10), ("10m", 600), ("1h", 3600), ("1.5 s", 1.5), ("7", 7), (7, 7)],
)
def test_durations(written: object, seconds: float) -> None:
    assert read(Duration, written) == pytest.approx(seconds)
    assert isinstance(read(Duration, written), float)


@pytest.mark.parametrize("type_", [Size, Duration])
@pytest.mark.parametrize(
    "written", ["", "ten", "10 parsecs", "-1", "1e3", True, None, [1], "\u0661s"]
)
def test_nonsense_is_refused_with_examples(type_: Any, written: object) -> None:
    with pytest.raises(ValueError, match='write "'):
        read(type_, written)


@pytest.mark.parametrize(
    ("type_", "value", "written"),
    [
        (Size, 33_554_432, "32MiB"),
        (Size, 10_000_000, "10MB"),
        (Size, 777, "777"),
        (Size, 0, "0"),
        (Duration, 0.25, "250ms"),
        (Duration, 75.0, "75s"),
        (Duration, 600.0, "10m"),
        (Duration, 0.0, "0"),
    ],
)
def test_what_is_shown_reads_back(type_: Any, value: float, written: str) -> None:
    assert shown(value, type_) == written
    assert read(type_, written) == value


def test_other_types_have_no_units() -> None:
    assert reader(int) is None
    assert shown(5, int) is None
