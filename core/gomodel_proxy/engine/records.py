"""Journal records: what they say, how they stand in a file, how a damaged file is read.

A file is a head (`FILE`: mark and its own size) and records, then zeros. A record is a head
(`RECORD`: mark, length and CRC-32 of the payload) and a payload in MessagePack. Rows are arrays
there, a third as long as with their members' names: a new member goes to a struct's end.
"""

from __future__ import annotations

import struct
from typing import Final
from zlib import crc32

import msgspec

from gomodel_proxy.api import LedgerRow, Resource  # noqa: TC001, structs need them at run time

__all__ = ["FILE", "FILE_MARK", "MARK", "RECORD", "Opened", "Owned", "Record", "Settled"]
__all__ += ["decode", "encode", "read"]

FILE: Final = struct.Struct("<8sQ")
FILE_MARK: Final = b"gmjrnl\x00\x02"
RECORD: Final = struct.Struct("<4sII")
MARK: Final = b"\xc1gmr"  # 0xc1 is the byte that MessagePack never uses


class Opened(msgspec.Struct, tag="opened", array_like=True, frozen=True, gc=False):
    """A request is about to be sent: the row as known so far. The last one of a row counts."""

    row: LedgerRow


class Settled(msgspec.Struct, tag="settled", array_like=True, frozen=True, gc=False):
    """A request is over: the whole row."""

    row: LedgerRow


class Owned(msgspec.Struct, tag="owned", array_like=True, frozen=True, gc=False):
    """A reply created something at the vendor."""

    resource: Resource


Record = Opened | Settled | Owned

encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Record).decode


def read(data: bytes) -> tuple[list[Record], list[str]]:
    """Return every record of a file that can be read, and a line for each place that cannot.

    Behind a damaged place the search goes on at the next mark, so one bad page costs only itself.
    """
    if data.count(0) == len(data):
        return [], []  # its maker stopped before the first byte
    records: list[Record] = []
    damage = _file_damage(data)
    offset = FILE.size
    while offset < len(data):
        payload = _payload(data, offset)
        if payload is None:
            start, offset = offset, data.find(MARK, offset + 1)
            if offset < 0 and not data[start : start + RECORD.size].strip(b"\0"):
                break  # the unused rest; or a payload whose writer was stopped before its head
            offset = len(data) if offset < 0 else offset
            damage.append(f"bytes {start} to {offset}: no whole record")
            continue
        try:
            records.append(decode(payload))
        except msgspec.DecodeError as error:
            damage.append(f"byte {offset}: {error}")
        offset += RECORD.size + len(payload)
    return records, damage


def _file_damage(data: bytes) -> list[str]:
    if len(data) < FILE.size:
        return ["its head is cut"]
    mark, size = FILE.unpack_from(data)
    if mark != FILE_MARK:
        return ["its head is not a journal's"]
    if size != len(data):
        return [f"it has {len(data)} bytes of {size}"]
    return []


def _payload(data: bytes, offset: int) -> bytes | None:
    if offset + RECORD.size > len(data):
        return None
    mark, length, crc = RECORD.unpack_from(data, offset)
    start = offset + RECORD.size
    if mark != MARK or start + length > len(data):
        return None
    payload = data[start : start + length]
    return payload if crc32(payload) == crc else None
