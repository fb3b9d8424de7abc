"""Faults: what is to go wrong, written ``cut=120+first=500ms``.

They come from the server's ``--faults``, from the configuration (as the header
`HEADER`) and from the model's name, each going before the one before it.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

import msgspec

from gomodel_proxy.api import InvalidRequest

__all__ = ["HEADER", "Faults", "parse", "separate"]

HEADER: Final = "x-sandbox-faults"

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|)")
_DURATIONS: Final = ("first", "gap")

Bytes = Annotated[int, msgspec.Meta(ge=0)]
Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
Size = Annotated[int, msgspec.Meta(ge=0, le=16 * 1024 * 1024)]  # the default provider has users
Status = Annotated[int, msgspec.Meta(ge=400, le=599)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=86_400)]
Rate = Annotated[float, msgspec.Meta(gt=0)]
Printable = Annotated[str, msgspec.Meta(pattern="^[ -~]*$")]
Positive = Annotated[int, msgspec.Meta(ge=1)]


class Faults(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that can be made slow or wrong; the README says what each does."""

    # --- time
    first: Seconds = 0.0
    gap: Seconds = 0.0
    rate: Rate | None = None
    # --- content
    events: Count | None = None
    size: Size | None = None
    nousage: bool = False
    nodone: bool = False
    nofinish: bool = False
    malformed: bool = False
    errorchunk: bool = False
    json: bool = False
    # --- another answer
    status: Status | None = None
    retry_after: Printable | None = None
    empty: bool = False
    html: bool = False
    echo_key: bool = False
    # --- delivery
    chunk: Positive | None = None
    cut: Bytes | None = None
    cutframed: Bytes | None = None
    wronglength: bool = False
    shortlength: bool = False
    gzip: bool = False
    badgzip: bool = False
    hints: bool = msgspec.field(default=False, name="1xx")
    processing: Count = msgspec.field(default=0, name="continue")
    garbage: bool = False
    refuse: bool = False
    hang: bool = False
    # --- how often, and where
    times: Count | None = None
    models: bool = False

    @property
    def pause(self) -> float:
        """Seconds between two events."""
        return max(self.gap, 1 / self.rate if self.rate else 0.0)


_KNOWN: Final = tuple(field.encode_name for field in msgspec.structs.fields(Faults))


def separate(model: str) -> tuple[str, str]:
    """Return a model's own name and the faults behind it."""
    name, _, faults = model.partition("+")
    return name, faults


def parse(*texts: str) -> Faults:
    """Return the faults that some texts name, the later text before the earlier.

    Raises `InvalidRequest` naming what nobody knows.
    """
    members: dict[str, Any] = {}
    for text in texts:
        for item in filter(None, text.split("+")):
            members |= _item(item)
    try:
        return msgspec.convert(members, Faults, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidRequest(f"sandbox fault: {error}", param="model") from None


def _item(item: str) -> dict[str, Any]:
    key, equals, value = item.strip().partition("=")
    if key not in _KNOWN:
        known = ", ".join(_KNOWN)
        raise InvalidRequest(f"unknown sandbox fault {key!r}; known are: {known}", param="model")
    if not equals:
        return {key: True}
    return {key: _seconds(key, value) if key in _DURATIONS else value}


def _seconds(key: str, value: str) -> float:
    match = _DURATION.fullmatch(value)
    if match is None:
        raise InvalidRequest(
            f"sandbox fault {key}: write 500ms or 2s, not {value!r}", param="model"
        )
    return float(match[1]) / (1000 if match[2] == "ms" else 1)
