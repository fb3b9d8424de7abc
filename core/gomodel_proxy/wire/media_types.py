"""What bytes are, by how they begin; names and headers alone are not believed.

mimesniff.spec.whatwg.org (living standard, 2026-11), the formats' own descriptions, and RFC 9110
for what a ``Content-Type`` may say.
"""

from __future__ import annotations

from typing import Final

__all__ = ["kind_of", "settle", "sniff"]

_BEGINNINGS: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (b"ID3", "audio/mpeg"),
    (b"fLaC", "audio/flac"),
    (b"OggS", "audio/ogg"),
    (b"\x1a\x45\xdf\xa3", "video/webm"),
)
_RIFF: Final = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
_BRANDS: Final = {
    b"avif": "image/avif",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"mif1": "image/heif",
    b"M4A ": "audio/mp4",
    b"qt  ": "video/quicktime",
}
_SYNONYMS: Final = {
    "image/jpg": "image/jpeg",
    "audio/mp3": "audio/mpeg",
    "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/x-flac": "audio/flac",
    "audio/x-m4a": "audio/mp4",
    "audio/m4a": "audio/mp4",
    "application/x-pdf": "application/pdf",
    "text/xml": "application/xml",
}
_CONTAINERS: Final = {
    "video/mp4": {"audio/mp4", "video/x-m4v"},
    "video/webm": {"audio/webm", "video/x-matroska"},
    "audio/ogg": {"video/ogg", "application/ogg", "audio/opus"},
}
"""Formats that hold sound as well as film: there the sender knows better what it is."""

_UNSAID: Final = frozenset({"", "application/octet-stream", "binary/octet-stream", "text/plain"})
"""Types that servers give to whatever they do not know."""

_TEXTS: Final = ("text/", "application/json", "application/xml", "application/yaml")
_PACKED: Final = ("application/vnd.", "application/epub", "application/msword")
_CONTROL: Final = bytes(set(range(32)) - set(b"\t\n\r\f\x1b"))


def kind_of(media_type: str) -> str:
    """Return the kind of medium that a type is of: image, audio, video or document."""
    kind = media_type.partition("/")[0]
    return kind if kind in ("image", "audio", "video") else "document"


def sniff(data: bytes) -> str | None:
    """Return the type of a medium from its first bytes, None if they are not known."""
    head = data[:16]
    for beginning, found in _BEGINNINGS:
        if head.startswith(beginning):
            return found
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12])
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "video/mp4")
    return _sniff_frames(head)


def _sniff_frames(head: bytes) -> str | None:
    """Tell sound without a head of its own by the first frame's sync word."""
    if len(head) < 2 or head[0] != 0xFF:
        return None
    if head[1] & 0xF6 == 0xF0:
        return "audio/aac"
    if head[1] & 0xE0 == 0xE0 and head[1] & 0x06 in (2, 4):  # MPEG's layers III and II
        return "audio/mpeg"
    return None


def settle(data: bytes, declared: str) -> str:
    """Return what data is, by itself and by what its sender declared; lower case, no parameters.

    Raises ValueError, with a reason fit for the caller, where the two contradict each other or
    nobody knows.
    """
    said = declared.partition(";")[0].strip().lower()
    said = _SYNONYMS.get(said, said)
    found = sniff(data)
    if found is None:
        return _settle_text(data, said)
    if said in _CONTAINERS.get(found, ()):
        return said
    if found in ("application/zip", "application/x-ole-storage"):
        return said if said.startswith(_PACKED) else found
    if said not in _UNSAID and kind_of(said) != kind_of(found):
        raise ValueError(f"it is declared as {said} and is {found}")
    return found


def _settle_text(data: bytes, said: str) -> str:
    try:
        data.decode()
    except UnicodeDecodeError:
        raise ValueError(_unknown(said)) from None
    if not data or data.translate(None, _CONTROL) != data:
        raise ValueError(_unknown(said))
    if said.startswith(_TEXTS):
        return said
    if said in _UNSAID:
        return "text/plain"
    raise ValueError(f"it is declared as {said} and is text")


def _unknown(said: str) -> str:
    return f"it is declared as {said or 'nothing'}, and its content is of no known type"
