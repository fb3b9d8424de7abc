"""Redaction: fields masked by name while an event is a mapping, values once it is text.

Names catch what nobody registered; values catch what hides in messages and tracebacks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, Final

import msgspec
import structlog

from gomodel_proxy.api import Secret

if TYPE_CHECKING:
    from collections.abc import Iterable

MASK: Final = "***"
SHORTEST: Final = 6
"""Shorter values are not looked for: masking ``abc`` everywhere would ruin every line."""

_SENSITIVE: Final = re.compile(
    r"(^|[_.-])(authorization|api[_-]?key|apikey|cookie|token|secret|password|master[_-]?key)$",
    re.IGNORECASE,
)
_BEARER: Final = r"(?i:\bbearer) +[\w.~+/=-]+"


def mask_fields(logger: Any, method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Return the event with every sensitive field masked, at any depth; a structlog processor."""
    return {key: _masked(key, value) for key, value in event.items()}


def _masked(key: object, value: Any) -> Any:
    if isinstance(key, str) and _SENSITIVE.search(key) and isinstance(value, (str, bytes, Secret)):
        return MASK if value else ""
    if isinstance(value, Mapping):
        return {str(name): _masked(name, member) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        if len(value) == 2 and isinstance(value[0], str):  # a header, as ("x-api-key", "…")
            return [value[0], _masked(value[0], value[1])]
        return [_masked(None, member) for member in value]
    if value is None or isinstance(value, (str, int, float)):
        return value
    return repr(value)  # an object's own fields are never logged, only what it says of itself


class Values:
    """Masks registered credentials, and anything after ``Bearer``, in rendered lines."""

    def __init__(self) -> None:
        self._values: set[str] = set()
        self._pattern = re.compile(_BEARER)

    def add(self, secrets: Iterable[Secret | str]) -> None:
        """Register credentials to be masked from now on."""
        for secret in secrets:
            value = secret.reveal() if isinstance(secret, Secret) else secret
            if len(value) >= SHORTEST:
                escaped = msgspec.json.encode(value).decode()[1:-1]
                self._values |= {value, escaped, repr(value)[1:-1]}
        longest_first = sorted(self._values, key=len, reverse=True)
        self._pattern = re.compile("|".join([*map(re.escape, longest_first), _BEARER]))

    def mask(self, text: str) -> str:
        """Return text with the registered values masked."""
        # Looking for each value costs a tenth of the pattern, which nearly no line needs.
        if "bearer " in text.lower() or any(value in text for value in self._values):
            return self._pattern.sub(MASK, text)
        return text

    def __call__(self, logger: Any, method: str, event: Any) -> Any:
        """Mask a rendered line; the last structlog processor."""
        return self.mask(event)


def registered() -> Values:
    """Return the values that `setup` has put in structlog's chain; new ones before it has."""
    last = structlog.get_config()["processors"][-1:]
    return last[0] if last and isinstance(last[0], Values) else Values()


def redact_value(*secrets: Secret | str) -> None:
    """Mask credentials in every line from now on; nothing happens before `setup`."""
    registered().add(secrets)
