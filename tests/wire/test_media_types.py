"""What bytes are, whatever is said of them."""

from __future__ import annotations

import pytest

from gomodel_proxy.wire.media_types import kind_of, settle, sniff

PNG = b"\x89PNG\r\n\x1a\n" + bytes(8)


@pytest.mark.parametrize(
    ("data", "type_"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\x01\x02\x03\x04WEBPVP8 ", "image/webp"),
        (b"RIFF\x01\x02\x03\x04WAVEfmt ", "audio/wav"),
        (b"RIFF\x01\x02\x03\x04ABCD", None),
        (b"%PDF-1.7", "application/pdf"),
        (b"ID3\x04", "audio/mpeg"),
        (b"\xff\xfb\x90", "audio/mpeg"),
        (b"\xff\xf1\x50", "audio/aac"),
        (b"OggS", "audio/ogg"),
        (b"fLaC", "audio/flac"),
        (b"\x00\x00\x00\x20ftypisom", "video/mp4"),
        (b"\x00\x00\x00\x20ftypM4A ", "audio/mp4"),
        (b"\x00\x00\x00\x20ftypavif", "image/avif"),
        (b"\x1a\x45\xdf\xa3", "video/webm"),
        (b"hello", None),
        (b"\xff", None),
        (b"", None),
    ],
)
def test_first_bytes(data: bytes, type_: str | None) -> None:
    assert sniff(data) == type_


@pytest.mark.parametrize(
    ("data", "declared", "type_"),
    [
        (PNG, "image/png", "image/png"),
        (PNG, "IMAGE/PNG; x=y", "image/png"),
        (PNG, "image/jpeg", "image/png"),  # mislabelled, and an image all the same
        (PNG, "", "image/png"),
        (PNG, "application/octet-stream", "image/png"),
        (b"%PDF-1.7", "application/x-pdf", "application/pdf"),
        (b"OggS", "video/ogg", "video/ogg"),
        (b"\x1a\x45\xdf\xa3", "audio/webm", "audio/webm"),
        (b"PK\x03\x04", "application/vnd.openxmlformats", "application/vnd.openxmlformats"),
        (b"PK\x03\x04", "", "application/zip"),
        (b"a,b\n", "text/csv; charset=utf-8", "text/csv"),
        (b"{}", "application/json", "application/json"),
        ("grüß".encode(), "", "text/plain"),
    ],
)
def test_what_is_settled(data: bytes, declared: str, type_: str) -> None:
    assert settle(data, declared) == type_


@pytest.mark.parametrize(
    ("data", "declared", "reason"),
    [
        (b"%PDF-1.7", "image/png", "declared as image/png and is application/pdf"),
        (PNG, "application/pdf", "declared as application/pdf and is image/png"),
        (PNG, "audio/ogg", "declared as audio/ogg and is image/png"),
        (b"<html>", "image/png", "declared as image/png and is text"),
        (b"\x00\x01\x02", "image/png", "of no known type"),
        (b"\xff\xfe", "text/plain", "of no known type"),
        (b"", "text/plain", "of no known type"),
    ],
)
def test_contradictions(data: bytes, declared: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        settle(data, declared)


def test_kinds() -> None:
    types = ("image/png", "audio/wav", "video/mp4", "application/pdf", "text/plain")
    assert [kind_of(one) for one in types] == ["image", "audio", "video", "document", "document"]
