"""The error tree.

    GatewayError                     500  api_error
    ├── InvalidRequest               400  invalid_request_error
    │   └── (with .status 404, 405, 408, 413, 414, 415, 431 where HTTP has its own)
    ├── Unauthenticated              401  authentication_error
    ├── Forbidden                    403  permission_error
    ├── NotFound                     404  not_found_error
    ├── Conflict                     409  conflict_error
    ├── RateLimited                  429  rate_limit_error
    ├── Unavailable                  503  service_unavailable_error
    ├── UpstreamError                502  upstream_error    what a provider said, or failed to say
    │   ├── UpstreamUnreachable      502                    nothing was sent: safe to send again
    │   └── UpstreamTimeout          504
    └── ConfigError                  names file, key and the way out; never reaches a client

A dialect renders any of these in its own shape. ``message`` is always safe to show.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = [
    "ConfigError",
    "Conflict",
    "Forbidden",
    "GatewayError",
    "InvalidRequest",
    "NotFound",
    "RateLimited",
    "Unauthenticated",
    "Unavailable",
    "UpstreamError",
    "UpstreamTimeout",
    "UpstreamUnreachable",
]


class GatewayError(Exception):
    """Anything the gateway answers a caller with instead of a reply."""

    status: int = 500
    kind: str = "api_error"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        status: int | None = None,
        headers: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.param = param
        self.headers = tuple(headers)
        if status is not None:
            self.status = status


class InvalidRequest(GatewayError):
    """The caller's fault; ``param`` names the member, ``messages[3].content[1]``."""

    status = 400
    kind = "invalid_request_error"


class Unauthenticated(GatewayError):
    """No credential, or one nobody knows."""

    status = 401
    kind = "authentication_error"


class Forbidden(GatewayError):
    """A known caller who may not do this."""

    status = 403
    kind = "permission_error"


class NotFound(GatewayError):
    """No such thing, or not the caller's: the two are told apart by nobody."""

    status = 404
    kind = "not_found_error"


class Conflict(GatewayError):
    """Right request, wrong moment."""

    status = 409
    kind = "conflict_error"


class RateLimited(GatewayError):
    """A limit of the gateway's own; carries ``Retry-After`` in ``headers``."""

    status = 429
    kind = "rate_limit_error"


class Unavailable(GatewayError):
    """The gateway cannot serve this now: shutting down, full, or its store is away."""

    status = 503
    kind = "service_unavailable_error"


class UpstreamError(GatewayError):
    """A provider refused, failed or made no sense.

    ``body`` is the provider's own error, unchanged, when it is in the provider's dialect.
    ``retry`` says that sending again cannot pay twice (429, 503 with Retry-After).
    ``retry_after`` is in seconds.
    """

    status = 502
    kind = "upstream_error"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        status: int | None = None,
        headers: Sequence[tuple[str, str]] = (),
        kind: str | None = None,
        body: bytes = b"",
        retry: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, code=code, param=param, status=status, headers=headers)
        if kind is not None:
            self.kind = kind
        self.body = body
        self.retry = retry
        self.retry_after = retry_after


class UpstreamUnreachable(UpstreamError):
    """No connection, or one that closed before our write had finished: nothing was spent."""


class UpstreamTimeout(UpstreamError):
    """Connected, then silent for longer than the configuration allows."""

    status = 504


class ConfigError(GatewayError):
    """The configuration cannot be served; the message names file, key and remedy."""

    kind = "config_error"
