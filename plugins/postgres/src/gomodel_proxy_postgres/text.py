"""Text that PostgreSQL cannot hold, in a form that it can.

Its text has no NUL, and as UTF-8 no halves of surrogate pairs. Each becomes U+0010 and four hex
digits, and so does U+0010 itself: different texts stay different, and what one begins with the
other begins with too.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from asyncpg import Connection

SHORT: Final = 256
"""Characters; an index takes 2,700 bytes."""

_UNFIT: Final = re.compile("[\0\x10\ud800-\udfff]")
_ESCAPE: Final = re.compile("\x10([0-9a-f]{4})")


def escaped(text: str) -> str:
    """Return a text in the form it is kept in."""
    return _UNFIT.sub(lambda found: f"\x10{ord(found[0]):04x}", text)


def all_escaped(texts: Iterable[str]) -> list[str]:
    """Return texts for a parameter that is an array: the driver encodes those by itself."""
    return [escaped(text) for text in texts]


def short(text: str) -> str:
    """Return a text that an index takes, whatever its length: for ids that are only compared."""
    if len(text) <= SHORT:
        return text
    return f"sha256 {sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"


def encode(text: str) -> bytes:
    """Return what is sent for a text."""
    if "\0" in text or "\x10" in text:
        return escaped(text).encode()
    try:
        return text.encode()
    except UnicodeEncodeError:
        return escaped(text).encode()


def decode(data: bytes) -> str:
    """Return the text that `encode` was given."""
    text = str(data, "utf-8")
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text) if "\x10" in text else text


async def prepare(connection: Connection) -> None:
    """Have a connection send and receive all text so."""
    await connection.set_type_codec(
        "text", schema="pg_catalog", encoder=encode, decoder=decode, format="binary"
    )
