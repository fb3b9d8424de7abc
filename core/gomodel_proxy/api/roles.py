"""Roles: the protocols that plugins' objects play, and `Kind`, the one shape that opens them.

Members that the core reads are read-only properties, so tuples and literals satisfy them.
Methods are plain calls unless marked ``async``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Generic, Literal, Protocol, TypeVar

import msgspec

from .values import Price, Usage  # a struct's field types must exist at run time

if TYPE_CHECKING:
    from .batches import Batches
    from .chat import ChatRequest
    from .codecs import Codec, Losses
    from .errors import GatewayError, UpstreamError
    from .files import Files
    from .stored import Responses
    from .values import (
        Ask,
        Call,
        Headers,
        LedgerRow,
        Model,
        Principal,
        Resource,
        Secret,
        Target,
        UpstreamRequest,
    )

__all__ = [
    "AdminPage",
    "Authenticator",
    "Cache",
    "Commands",
    "Dialect",
    "Estimating",
    "Exchange",
    "Fields",
    "Guardrail",
    "Keeping",
    "Kind",
    "Ledger",
    "Limit",
    "Listing",
    "Meter",
    "Observer",
    "Passage",
    "PriceBook",
    "Provider",
    "ProviderConfig",
    "Query",
    "Receiver",
    "Resources",
    "Router",
    "Runtime",
    "Stage",
    "Stepwise",
    "Store",
    "Translation",
    "Translator",
    "Transport",
]

R_co = TypeVar("R_co", covariant=True)


class Runtime(Protocol):
    """What an opening object is told about its surroundings."""

    @property
    def name(self) -> str:
        """The name of its configuration table (``openai-eu`` for ``[providers.openai-eu]``)."""

    @property
    def base(self) -> Path:
        """The folder that relative paths in the configuration start from."""

    @property
    def log(self) -> Any:
        """A structlog logger bound to the object's name."""


class Kind(msgspec.Struct, Generic[R_co], frozen=True):
    """Something the configuration can name: a type, its settings, and how to open it.

    ``config`` is a msgspec struct; the table of that type is decoded into it, unknown keys
    refused. ``open`` returns an async context manager: entering starts the object, leaving
    stops it.
    """

    name: str
    config: type[msgspec.Struct]
    open: Callable[[Any, Runtime], AbstractAsyncContextManager[R_co]]


# ---------------------------------------------------------------- providers and dialects


class ProviderConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The settings that every ``[providers.<name>]`` table has; a plugin's struct adds its own.

    ``models_mode``: "fallback" asks the vendor and uses ``models`` when that fails or lists
    nothing; "allowlist" takes ``models`` as the whole truth. ``concurrency`` limits requests
    under way (0: no limit), of which ``queue`` more may wait. ``retry_unsafe`` allows sending
    again what the vendor may already have charged for. ``prices`` go before the plugin's own, and
    so do ``traits``, by model id or pattern (``"gpt-5*"``). ``batch_concurrency`` is how many lines
    of batches each process executes here at once, ``batch_rate`` how many it begins per minute
    (0: no limit).
    """

    type: str
    models: list[str] = []
    models_mode: Literal["fallback", "allowlist"] = "fallback"
    transport: str = "http"
    headers: dict[str, str] = {}
    prices: dict[str, Price] = {}
    traits: dict[str, dict[str, Any]] = {}
    retry_unsafe: bool = False
    concurrency: Annotated[int, msgspec.Meta(ge=0)] = 0
    queue: Annotated[int, msgspec.Meta(ge=0)] = 1000
    batch_concurrency: Annotated[int, msgspec.Meta(ge=1)] = 16
    batch_rate: Annotated[int, msgspec.Meta(ge=0)] = 0


class Provider(Protocol):
    """One configured account of a vendor. Pure: bytes in, bytes out; the core does the sending."""

    @property
    def speaks(self) -> Mapping[str, Sequence[str]]:
        """Operation → the dialects it takes natively, the preferred one first."""

    @property
    def secrets(self) -> Sequence[Secret]:
        """Credentials to be masked wherever the vendor might echo them."""

    @property
    def stream_usage(self) -> str:
        """Whether streams report usage: "ask" (only if the request says so), "always", "never"."""

    @property
    def prices(self) -> Mapping[str, Price]:
        """Published prices by model id or pattern (``gpt-4o-*``); see `Price`."""

    @property
    def price_version(self) -> str:
        """The date or version of `prices`, kept in every row they priced."""

    @property
    def traits(self) -> Mapping[str, Mapping[str, Any]]:
        """What is peculiar to families of models, by id or pattern, for the codec that writes.

        All patterns that match a model count, the later ones before the earlier.
        """

    def request(self, ask: Ask) -> UpstreamRequest:
        """Return the vendor's HTTP request for a body in one of the dialects it speaks."""

    def failure(self, status: int, headers: Headers, body: bytes) -> UpstreamError:
        """Return what an HTTP status of 400 or more means; must not raise."""

    def models_request(self) -> UpstreamRequest | None:
        """Return the request that lists models, None where the vendor has none."""

    def models_reply(self, body: bytes) -> Sequence[Model]:
        """Return the models of a listing; raises ValueError on one that makes no sense."""


class Keeping(Protocol):
    """What a `Provider` can be besides: a vendor that keeps responses and conversations."""

    def resource_request(
        self, method: str, path: str, *, body: bytes = b"", query: str = ""
    ) -> UpstreamRequest | None:
        """Return the request for what the vendor keeps, None where it keeps nothing.

        ``path`` is OpenAI's, below ``/v1``: ``/responses/resp_1/input_items``.
        """


class Fields(Protocol):
    """A request body decoded once: what routing needs, every other member's bytes untouched."""

    @property
    def model(self) -> str:
        """The selector as the caller wrote it."""

    @property
    def stream(self) -> bool:
        """Whether the caller asked for a stream."""

    @property
    def provider(self) -> str | None:
        """The caller's routing hint: a ``provider`` member, if it is a string."""

    @property
    def references(self) -> Sequence[tuple[str, str]]:
        """``(kind, id)`` of every vendor resource that the body names (ownership is checked)."""

    def readdress(self, model: str, *, ask_usage: bool) -> bytes:
        """Return the body for ``model``: hint removed, usage asked for if need be."""

    @property
    def asked_usage(self) -> bool:
        """Whether the caller asked for the stream's usage itself."""


class Meter(Protocol):
    """Watches one stream: hides what only we asked for, and knows how it ended.

    ``feed`` and ``close`` return the bytes for the caller, whole events only. One `Meter`
    serves one stream and keeps no more than one unfinished event (bounded by the core).
    """

    @property
    def events(self) -> int:
        """Content events so far; the estimate of output where usage never came."""

    @property
    def error(self) -> str | None:
        """The message of an error that the vendor sent inside the stream."""

    @property
    def reported(self) -> bool:
        """Whether `error` is the vendor's own event, which has gone on to the caller."""

    @property
    def created(self) -> Sequence[str]:
        """Vendor resources the stream created, as ``kind:id``."""

    @property
    def pending(self) -> int:
        """Bytes held back because their event is not complete."""

    def feed(self, data: bytes) -> bytes:
        """Take what arrived, return what may go on."""

    def close(self, *, framed: bool) -> tuple[bytes, bool]:
        """End the stream: the last bytes, and whether it ended as the dialect demands.

        ``framed`` says that HTTP's own framing was complete (not just a closed connection).
        """

    def usage(self) -> Usage | None:
        """Return the usage that the stream reported, if it did."""


class Dialect(Protocol):
    """One way to write one operation: how callers' bodies, replies, streams and errors look.

    A dialect whose vendor streams something else than ``text/event-stream`` says so in one more
    member, ``stream_types``: a frozenset of content types, lower case, without parameters. One
    whose callers send the gateway's key in a header of their own names it, lower case, in
    ``credential_headers``; authenticators find it as ``x-api-key``. One whose callers may name
    earlier turns has its `History` in ``history``.
    """

    @property
    def name(self) -> str:
        """Such as ``openai.chat``."""

    @property
    def operation(self) -> str:
        """Such as ``chat``; dialects of one operation can be translated into each other."""

    @property
    def codec(self) -> Codec | None:
        """How it is translated; None for operations that are spoken natively only."""

    @property
    def paths(self) -> Sequence[str]:
        """Paths whose POST speaks this dialect.

        ``{name}`` matches a segment, ``{name:regex}`` what the expression does.
        """

    @property
    def headers(self) -> frozenset[str]:
        """Lower-case names of the caller's headers that go on to the vendor."""

    def read(self, body: bytes, path: Mapping[str, str]) -> Fields:
        """Check and decode a request body; raises `InvalidRequest` naming the member.

        ``path`` is what the URL says: its query, and over that the named parts of its path.
        """

    def usage(self, body: bytes) -> Usage | None:
        """Return the usage in a whole reply."""

    def reply(self, body: bytes, provider: str) -> tuple[bytes, Usage | None, Sequence[str]]:
        """Check a whole reply and name its provider.

        Returns the bytes for the caller, the usage, and ids of vendor resources it created, as
        ``kind:id``. Raises `UpstreamError` when the body is no reply of this dialect.
        """

    def meter(self, *, hide_usage: bool) -> Meter:
        """Return the watcher of one stream."""

    def error(self, error: GatewayError) -> bytes:
        """Return an error as this dialect's JSON body."""

    def stream_error(self, error: GatewayError) -> bytes:
        """Return an error as the last event of a stream."""


class Estimating(Protocol):
    """What a `Dialect` can be besides: able to answer for models whose provider cannot."""

    def estimate(self, body: bytes) -> bytes:
        """Return the reply to a request that `read` took, made here and marked as estimated."""


class Listing(Protocol):
    """What a `Dialect` can be besides: a shape of ``GET /v1/models``.

    Models come with the ids that callers write (``provider/model``).
    """

    @property
    def models_header(self) -> str:
        """The lower-case name of the header whose presence asks for this shape."""

    def models_page(self, models: Sequence[Model], query: Mapping[str, str]) -> bytes:
        """Return the list of models, or the page of it that the query asks for."""

    def model_page(self, model: Model) -> bytes:
        """Return one model."""


class Translation(msgspec.Struct, frozen=True):
    """A body in another dialect, and what could not come along (``stop``, ``n(3>1)``).

    ``usage`` is the translator's own count of a reply, for vendors whose replies have none.
    """

    body: bytes
    losses: tuple[str, ...] = ()
    usage: Usage | None = None


class Stage(Protocol):
    """One step of a stream; runs for every read, so it must be quick."""

    def feed(self, data: bytes) -> bytes:
        """Take bytes, return bytes; raises ValueError for what makes no sense."""

    def close(self) -> bytes:
        """Return what was held back."""


class Passage(Protocol):
    """One call's way from the caller's dialect to the provider's and back; pure."""

    @property
    def body(self) -> bytes:
        """The request in the provider's dialect."""

    @property
    def losses(self) -> Sequence[str]:
        """What of the request could not come along (``stop``, ``n(3>1)``)."""

    def reply(self, body: bytes) -> Translation:
        """Return a provider's whole reply in the caller's dialect; ValueError if it is none."""

    def stream(self, losses: Losses) -> Stage:
        """Return the stage from the provider's stream to the caller's.

        It notes in ``losses`` what of the stream could not come along.
        """


class Translator(Protocol):
    """From one dialect of an operation to another and back; pure."""

    def begin(self, body: bytes, model: str, traits: Mapping[str, Any]) -> Passage:
        """Take a caller's request for ``model``; raises `InvalidRequest` naming the member.

        ``traits`` is the provider's word on this family of models.
        """


class Stepwise(Protocol):
    """What a `Translator` can be besides: one that takes two steps.

    Between them the gateway fetches the media that the vendor would not.
    """

    @property
    def remote(self) -> frozenset[str] | None:
        """The kinds of `Media` that go on as a web address; None for all."""

    def read(self, body: bytes) -> ChatRequest:
        """Return a caller's request; raises `InvalidRequest` naming the member."""

    def write(self, request: ChatRequest, model: str, traits: Mapping[str, Any]) -> Passage:
        """Go on as `Translator.begin` does, with what `read` returned."""


# ---------------------------------------------------------------- sending


class Receiver(Protocol):
    """Takes one upstream answer as it comes. Exactly one of `end` and `failed` is the last."""

    def head(self, status: int, headers: Headers) -> None:
        """The final status and headers have come."""

    def data(self, data: bytes) -> None:
        """A piece of the body, transfer and content encodings undone."""

    def end(self, framed: bool) -> None:
        """The body is over; ``framed`` unless only the closed connection says so."""

    def failed(self, error: UpstreamError) -> None:
        """Nothing more will come."""


class Exchange(Protocol):
    """A running upstream request."""

    def pause(self) -> None:
        """Stop reading until `resume`: the caller is slower than the vendor."""

    def resume(self) -> None:
        """Read on."""

    def close(self) -> None:
        """Drop the request and its connection now; the receiver hears nothing more."""


class Transport(Protocol):
    """A way to send: HTTP by default; in-process models and odd networks bring their own."""

    def open(self, request: UpstreamRequest, receiver: Receiver) -> Exchange:
        """Start sending; never blocks, never raises: what goes wrong goes to ``receiver``."""


# ---------------------------------------------------------------- policy


class Router(Protocol):
    """One step of the routing chain, in configured order."""

    async def plan(self, call: Call, targets: Sequence[Target]) -> Sequence[Target]:
        """Return the targets to try, in order; may drop, add and reorder."""


class Authenticator(Protocol):
    """Finds out who calls; the first to answer wins, in configured order."""

    @property
    def lasting(self) -> bool:
        """Whether an answer holds as long as the configuration, so that it may be remembered."""

    async def identify(self, headers: Mapping[str, str]) -> Principal | None:
        """Return the principal, None if these credentials are none of its own."""


class Limit(Protocol):
    """Rates, budgets, concurrency: reserve on entry, settle on exit."""

    def admit(self, call: Call) -> AbstractAsyncContextManager[Any]:
        """Return the context that the call runs in; entering raises `RateLimited`."""


class Guardrail(Protocol):
    """Reads and may rewrite requests and whole replies, and stages streams."""

    async def request(self, call: Call) -> bytes | None:
        """Return a new body, None to leave it; raises `InvalidRequest` to refuse."""

    async def reply(self, call: Call, body: bytes) -> bytes | None:
        """Return a new reply, None to leave it."""

    def stage(self, call: Call) -> Stage | None:
        """Return a stage for the call's stream, None to leave it alone."""


class Cache(Protocol):
    """Whole replies by key; the core's keys always include the tenant."""

    async def get(self, key: str) -> bytes | None:
        """Return a stored reply."""

    async def put(self, key: str, reply: bytes) -> None:
        """Keep a reply; how long is the cache's own setting."""


class PriceBook(Protocol):
    """Prices from elsewhere; asked before the provider's own."""

    def price(self, provider: str, type_: str, model: str) -> tuple[Price, str] | None:
        """Return price and version, None if unknown here."""


class Observer(Protocol):
    """Watches one call."""

    def chunk(self, data: bytes) -> None:
        """Bytes left for the caller."""

    def done(self, call: Call, error: BaseException | None) -> None:
        """The call is over."""


# ---------------------------------------------------------------- store


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """A question to the ledger. ``since`` and ``until`` are epoch microseconds, half open.

    ``principal`` and ``user_path`` (a subtree) narrow to a tenant; None asks for all.
    ``after`` is the id of the last row of the page before.
    """

    since: int | None = None
    until: int | None = None
    principal: str | None = None
    user_path: str | None = None
    model: str | None = None
    provider: str | None = None
    status: str | None = None
    limit: int = 50
    after: str | None = None


class Ledger(Protocol):
    """Where rows are kept."""

    async def write(self, rows: Sequence[LedgerRow]) -> None:
        """Commit rows. Writing a row again changes nothing, except `unknown` giving way."""

    async def log(self, query: Query) -> Sequence[Mapping[str, Any]]:
        """Return rows, newest first, each with its ``attempts``."""

    async def summary(self, query: Query) -> Mapping[str, Any]:
        """Return sums: ``requests``, token classes, costs in pico-USD, counts by status."""

    async def daily(self, query: Query) -> Sequence[Mapping[str, Any]]:
        """Return `summary` members per UTC ``date`` (``2026-11-22``), ascending."""

    async def models(self, query: Query) -> Sequence[Mapping[str, Any]]:
        """Return `summary` members per ``provider`` and ``model``, dearest first."""


class Resources(Protocol):
    """Who owns what at the vendors."""

    async def add(self, resources: Sequence[Resource]) -> None:
        """Enter resources; entering one again changes nothing."""

    async def find(self, kind: str, id: str) -> Resource | None:
        """Return the entry of a vendor id."""

    async def list(self, kind: str, *, before: int, after: str, limit: int) -> Sequence[Resource]:
        """Return entries of a kind made before a time, by id, from the first behind ``after``."""

    async def remove(self, kind: str, id: str) -> None:
        """Forget an id; unknown ones are no error."""


class Store(Protocol):
    """One database, opened once; a part is None where the store does not have it.

    ``batches``, ``files`` and ``responses`` share the ledger's transactions.
    """

    @property
    def ledger(self) -> Ledger | None:
        """Requests and their costs."""

    @property
    def resources(self) -> Resources | None:
        """Ownership of vendor ids."""

    @property
    def batches(self) -> Batches | None:
        """Batches and their lines."""

    @property
    def files(self) -> Files | None:
        """Uploaded and produced files."""

    @property
    def responses(self) -> Responses | None:
        """Responses and conversations that no vendor keeps."""

    async def check(self) -> None:
        """Raise if the store cannot be used right now."""


# ---------------------------------------------------------------- edges


class AdminPage(Protocol):
    """A page under ``/admin``; only admins see it."""

    @property
    def path(self) -> str:
        """Below ``/admin/``."""

    @property
    def title(self) -> str:
        """For the menu."""

    async def get(self, query: Mapping[str, str]) -> tuple[str, bytes]:
        """Return content type and body."""


class Commands(Protocol):
    """Where plugins add commands to ``gomodel-proxy``."""

    def add(
        self,
        name: str,
        help: str,
        arguments: Callable[[Any], None],
        run: Callable[[Any], int],
    ) -> None:
        """Add a command: ``arguments`` gets its `argparse.ArgumentParser`, ``run`` the result."""
