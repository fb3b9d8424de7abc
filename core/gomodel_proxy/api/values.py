"""Values that cross the contract: what hooks and roles are handed and hand back.

Times are integer microseconds since the epoch, UTC. Money is integer pico-USD (1e-12 USD).
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec

__all__ = [
    "ANONYMOUS",
    "Ask",
    "Attempt",
    "Call",
    "Headers",
    "LedgerRow",
    "Model",
    "Price",
    "Principal",
    "Provenance",
    "Resource",
    "Secret",
    "Status",
    "Target",
    "UpstreamRequest",
    "Usage",
]

Headers = tuple[tuple[str, str], ...]
Provenance = Literal["reported", "estimated", "partial"]
Status = Literal["ok", "error", "cancelled", "unknown"]


class Secret:
    """A credential that shows itself only through `reveal`; repr, str and logs see a mask."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the credential itself, for the one place that sends it."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __repr__(self) -> str:
        return "Secret('***')" if self._value else "Secret('')"

    __str__ = __repr__

    def __reduce__(self) -> Any:
        raise TypeError("a Secret is not to be stored or sent")


class Principal(msgspec.Struct, frozen=True, gc=False):
    """Who calls: a stable id (never a key or its hash), its place among tenants, its power."""

    id: str
    user_path: str = "/"
    admin: bool = False


ANONYMOUS: Final = Principal(id="anonymous", user_path="/", admin=True)
"""The only principal of an open gateway; it owns the machine, so it may see everything."""


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """One model as a provider lists it. ``id`` is the vendor's own, without our prefix."""

    id: str
    created: int = 0
    owned_by: str = ""
    operations: tuple[str, ...] = ()
    metadata: dict[str, Any] = {}


class Usage(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True):
    """Tokens of one upstream attempt, in one convention for every vendor.

    ``input`` counts all input, cached or not; ``cache_read``, ``cache_write`` and
    ``audio_input`` are parts of it; ``cache_write_1h`` is the part of ``cache_write`` that is kept
    for an hour. ``output`` counts all output; ``reasoning`` and
    ``audio_output`` are parts of it. ``raw`` is the vendor's own JSON object, unchanged.
    """

    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    cache_write_1h: int | None = None
    reasoning: int | None = None
    audio_input: int | None = None
    audio_output: int | None = None
    provenance: Provenance = "reported"
    raw: bytes = b""

    @property
    def total(self) -> int | None:
        """Input and output together, None where neither is known."""
        if self.input is None and self.output is None:
            return None
        return (self.input or 0) + (self.output or 0)


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """USD per million tokens, written as decimal strings so that nothing is rounded.

    A class that has no price of its own is charged as the class it is part of. ``tiers`` apply
    to the whole request once its input exceeds ``above`` tokens. ``batch_*`` prices count for
    lines of a batch.
    """

    input: str | None = None
    output: str | None = None
    cache_read: str | None = None
    cache_write: str | None = None
    cache_write_1h: str | None = None
    reasoning: str | None = None
    audio_input: str | None = None
    audio_output: str | None = None
    batch_input: str | None = None
    batch_output: str | None = None
    per_request: str | None = None
    tiers: tuple[PriceTier, ...] = ()


class PriceTier(msgspec.Struct, frozen=True, kw_only=True):
    """Prices for requests whose input exceeds ``above`` tokens."""

    above: int
    input: str | None = None
    output: str | None = None
    cache_read: str | None = None
    cache_write: str | None = None
    cache_write_1h: str | None = None


class Target(msgspec.Struct, frozen=True, gc=False):
    """One place a call can go: a configured provider's name, and the model's id there."""

    provider: str
    model: str


class Ask(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a provider is asked to turn into bytes for its vendor.

    ``body`` is already in ``dialect`` and names ``model``; ``headers`` are the caller's that the
    dialect lets through.
    """

    operation: str
    dialect: str
    model: str
    stream: bool
    body: bytes
    headers: Headers = ()


class UpstreamRequest(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One HTTP request to a vendor.

    Hand over the same ``headers`` tuple for every call of the same shape: the transport keeps
    the rendered head of each it has seen. ``extra`` is what changes from call to call.
    """

    method: str
    url: str
    headers: Headers = ()
    extra: Headers = ()
    body: bytes = b""

    def __repr__(self) -> str:
        return f"UpstreamRequest({self.method} {self.url}, {len(self.body)} bytes)"

    def __rich_repr__(self) -> Any:
        yield self.method
        yield self.url


class Call:
    """One request on its way through the gateway; plugins read it, the core fills it in.

    ``id`` is the ledger row's, ``request_id`` the one both sides see. ``model`` is as asked.
    ``target`` is set once routed. ``batch`` is whose line it is, if it is one. ``state`` is a
    plugin's own notes, by plugin name.
    """

    __slots__ = (
        "batch",
        "body",
        "dialect",
        "headers",
        "id",
        "model",
        "operation",
        "principal",
        "provider_hint",
        "request_id",
        "started",
        "state",
        "stream",
        "strict",
        "target",
        "user_path",
    )

    def __init__(
        self,
        *,
        id: str,
        request_id: str,
        operation: str,
        dialect: str,
        headers: Mapping[str, str],
        body: bytes,
        started: int,
    ) -> None:
        self.id = id
        self.request_id = request_id
        self.operation = operation
        self.dialect = dialect
        self.headers = headers
        self.body = body
        self.started = started
        self.principal: Principal = ANONYMOUS
        self.user_path = "/"
        self.model = ""
        self.batch: str | None = None
        self.provider_hint: str | None = None
        self.stream = False
        self.strict = False
        self.target: Target | None = None
        self.state: dict[str, Any] | None = None

    def __repr__(self) -> str:
        return f"Call({self.id}, {self.operation}, {self.model!r})"


class Attempt(msgspec.Struct, kw_only=True, array_like=True):
    """One upstream attempt of a ledger row: where the tokens and the money are.

    Costs are pico-USD; None is an unknown price, never zero. ``latency`` and ``first_token``
    are microseconds from the attempt's own start.
    """

    id: str
    provider: str
    type: str
    model: str
    started: int
    status: Status = "unknown"
    http_status: int | None = None
    error: str | None = None
    latency: int | None = None
    first_token: int | None = None
    usage: Usage | None = None
    input_cost: int | None = None
    output_cost: int | None = None
    total_cost: int | None = None
    price_version: str | None = None


class LedgerRow(msgspec.Struct, kw_only=True, array_like=True):
    """One admitted request. Its attempts carry the tokens; sums are the store's to make.

    ``latency`` and ``first_token`` are microseconds from ``started`` (epoch microseconds).
    ``losses`` lists what a translation dropped or approximated.
    """

    id: str
    request_id: str
    started: int
    principal: str
    user_path: str
    operation: str
    dialect: str
    model: str
    provider: str
    type: str
    served_model: str
    stream: bool = False
    batch: str | None = None
    status: Status = "unknown"
    http_status: int | None = None
    error: str | None = None
    latency: int | None = None
    first_token: int | None = None
    losses: list[str] = []
    attempts: list[Attempt] = []


class Resource(msgspec.Struct, frozen=True, kw_only=True):
    """Something a vendor keeps for a tenant: a stored response, a file, a batch."""

    kind: str
    id: str
    owner: str
    provider: str
    created: int
