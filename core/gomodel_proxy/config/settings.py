"""The core's settings, one struct per table. Descriptions and defaults are the reference.

``sample_config.toml`` is printed from them. Plugins' settings are structs of the plugins' own.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from gomodel_proxy.api import Secret

from .scalars import KIB, MIB, Duration, Size

__all__ = [
    "Accounting",
    "Assets",
    "Auth",
    "Batches",
    "Key",
    "Logs",
    "Models",
    "PluginSettings",
    "Routing",
    "Server",
    "Upstream",
]


class Server(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the gateway listens, and its limits towards clients."""

    host: Annotated[str, Meta(description="other than loopback needs a key")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="0 takes a free one")] = 8080
    workers: Annotated[int, Meta(ge=1, description="processes sharing the port (Linux)")] = 1
    loop: Annotated[
        Literal["auto", "asyncio", "uvloop"],
        Meta(description='"asyncio", "uvloop", or "auto": uvloop if it is installed'),
    ] = "auto"
    body_limit: Annotated[Size, Meta(description="longest request body")] = 32 * MIB
    head_limit: Annotated[Size, Meta(description="longest request line with headers")] = 32 * KIB
    head_timeout: Annotated[Duration, Meta(description="time for a whole head")] = 10.0
    body_timeout: Annotated[Duration, Meta(description="longest pause inside a body")] = 30.0
    idle_timeout: Annotated[
        Duration, Meta(description="how long a connection may wait for its next request")
    ] = 75.0
    shutdown_grace: Annotated[
        Duration, Meta(description="time for running requests to end after SIGTERM")
    ] = 30.0
    max_connections: Annotated[int, Meta(ge=1, description="open connections per worker")] = 10_000
    max_requests: Annotated[
        int, Meta(ge=1, description="requests under way per worker; more get a 503")
    ] = 4096
    fast_lane: Annotated[
        bool, Meta(description="answer plain requests without the web framework")
    ] = True


class Key(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One caller's key. The table's name is the caller's id in ledger and logs."""

    key: Annotated[Secret, Meta(description="what the caller sends")]
    user_path: Annotated[
        str,
        Meta(
            pattern="^/",
            description="place in the tenancy tree",
            extra={"demand": "must begin with /"},
        ),
    ] = "/"
    admin: Annotated[bool, Meta(description="may see every tenant's rows")] = False


class Auth(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who may call: the master key, which sees everything, and keys of single callers."""

    master_key: Annotated[
        Secret, Meta(description="with no key at all the gateway is open, and says so")
    ] = Secret("")
    open: Annotated[bool, Meta(description="allow other addresses than loopback without a key")] = (
        False
    )
    keys: Annotated[dict[str, Key], Meta(description="callers by name")] = {}


class PluginSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Plugins that no other table names; a type named elsewhere is loaded by itself."""

    enabled: Annotated[list[str], Meta(description="entry point names")] = []


class Routing(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From the model a caller asks for to the providers that are tried."""

    steps: Annotated[list[str], Meta(description="routers, in the order they are asked")] = []
    strict: Annotated[
        bool, Meta(description="refuse requests that a translation could not keep whole")
    ] = False
    failover: Annotated[
        bool, Meta(description="try the next provider where nothing can be paid twice")
    ] = True


class Upstream(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Connections to providers: times, retries and limits."""

    connect_timeout: Annotated[Duration, Meta(description="name, TCP and TLS")] = 10.0
    first_byte_timeout: Annotated[
        Duration, Meta(description="from the request sent to the first byte of the reply")
    ] = 600.0
    idle_timeout: Annotated[Duration, Meta(description="longest pause inside a reply")] = 300.0
    keepalive: Annotated[Duration, Meta(description="how long an unused connection is kept")] = 60.0
    retries: Annotated[
        int, Meta(ge=0, description="further attempts, where nothing can be paid twice")
    ] = 2
    retry_max_wait: Annotated[
        Duration, Meta(description="longest Retry-After that is waited for")
    ] = 10.0
    reply_limit: Annotated[Size, Meta(description="longest reply that is no stream")] = 64 * MIB
    event_limit: Annotated[Size, Meta(description="longest single event of a stream")] = 8 * MIB


class Assets(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Media that requests name by a web address and a provider does not fetch by itself."""

    enabled: Annotated[
        bool, Meta(description="fetch them; else such requests are refused or go on as they are")
    ] = True
    max_size: Annotated[Size, Meta(description="longest asset")] = 20 * MIB
    max_total: Annotated[Size, Meta(description="longest assets of one request together")] = (
        50 * MIB
    )
    max_count: Annotated[int, Meta(ge=1, description="most assets of one request")] = 100
    timeout: Annotated[Duration, Meta(description="time for one asset, redirects included")] = 10.0
    max_redirects: Annotated[int, Meta(ge=0, description="each is checked as the address is")] = 3
    allow_private: Annotated[
        bool, Meta(description="fetch from private networks and this machine too: for tests")
    ] = False
    types: Annotated[tuple[str, ...], Meta(description="content types that may be fetched")] = (
        "image/jpeg",
        "image/png",
        "image/gif",
        "image/webp",
        "application/pdf",
        "application/json",
        "text/plain",
        "text/markdown",
        "text/csv",
        "text/html",
        "audio/mpeg",
        "audio/wav",
        "audio/ogg",
        "audio/flac",
        "audio/mp4",
        "video/mp4",
        "video/webm",
    )


class Batches(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Batches and files. What one provider may execute at once stands in its own table."""

    work: Annotated[
        bool, Meta(description="look after batches here; else other processes on the store do")
    ] = True
    mode: Annotated[
        Literal["auto", "native", "executed"],
        Meta(description='by the vendor where it can ("auto"), always ("native") or never'),
    ] = "auto"
    file_limit: Annotated[Size, Meta(description="longest uploaded file")] = 512 * MIB
    max_lines: Annotated[int, Meta(ge=1, description="most lines of one batch")] = 5_000_000
    max_errors: Annotated[int, Meta(ge=1, description="most faults told of one input file")] = 100
    inline_results: Annotated[
        int, Meta(ge=0, description="most lines, of 64 KiB, whose results its object has")
    ] = 100
    shipment_size: Annotated[
        Size, Meta(description="longest batch at a vendor, held in memory while it is sent")
    ] = 32 * MIB
    lease: Annotated[
        Duration, Meta(description="how long work stays with a process that says nothing")
    ] = 30.0
    look: Annotated[Duration, Meta(description="longest pause before looking for work")] = 1.0
    poll: Annotated[Duration, Meta(description="first pause before asking a vendor")] = 15.0
    poll_max: Annotated[Duration, Meta(description="longest pause before asking again")] = 600.0
    tries: Annotated[
        int, Meta(ge=1, description="connections that may fail before a line has failed")
    ] = 8
    retry_wait: Annotated[Duration, Meta(description="first pause before the next try")] = 1.0
    retry_max_wait: Annotated[Duration, Meta(description="longest pause before it")] = 60.0
    webhook_hosts: Annotated[
        list[str], Meta(description='hosts that batches may have told of their end, or "*.host"')
    ] = []
    webhook_secret: Annotated[
        Secret, Meta(description='signs what they are told: "whsec_" and base64')
    ] = Secret("")
    webhook_tries: Annotated[int, Meta(ge=1, description="before a host is given up")] = 10


class Models(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The inventory: which models the providers list."""

    refresh: Annotated[Duration, Meta(description="time between two listings")] = 3600.0
    first_wait: Annotated[
        Duration, Meta(description="longest wait of the first requests for the first listing")
    ] = 2.0


class Accounting(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The journal, which holds every admitted request until the store has it."""

    journal: Annotated[str, Meta(description="folder, relative to this file")] = "gomodel.journal"
    journal_fsync: Annotated[
        Literal["off", "interval", "always"],
        Meta(description='what a power cut may cost: "off", "interval" or "always"'),
    ] = "interval"
    flush_interval: Annotated[
        Duration, Meta(description="time between two writes to the store")
    ] = 0.25
    background_patience: Annotated[
        Duration,
        Meta(description="when to look for unfetched ones; 0: never"),
    ] = 60.0


class Logs(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Logs go to standard error, a line per event and per request."""

    format: Annotated[
        Literal["auto", "json", "console"],
        Meta(description='"json", "console", or "auto": for people on a terminal'),
    ] = "auto"
    level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Meta(description='"debug", "info", "warning" or "error"'),
    ] = "info"
