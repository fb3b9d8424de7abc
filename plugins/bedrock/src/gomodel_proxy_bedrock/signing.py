"""Signatures of AWS, Version 4, made by botocore.

docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html (2026-11).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from botocore.auth import SigV4Auth  # type: ignore[import-untyped]
from botocore.awsrequest import AWSRequest  # type: ignore[import-untyped]
from botocore.credentials import ReadOnlyCredentials  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from collections.abc import Callable

    from gomodel_proxy.api import Headers

__all__ = ["Key", "Signer"]

SERVICE: Final = "bedrock"
_SENT: Final = ("Authorization", "X-Amz-Date", "X-Amz-Security-Token")


class Key(NamedTuple):
    """An access key of AWS; ``token`` comes with temporary ones."""

    id: str
    secret: str
    token: str | None = None

    def __repr__(self) -> str:
        return f"Key({self.id[:4]}…)"


class Signer:
    """Signs requests to Bedrock in one region; ``key`` gives the key that is good now."""

    def __init__(self, region: str, key: Callable[[], Key]) -> None:
        self._region = region
        self._key = key

    def sign(self, method: str, url: str, headers: Headers, body: bytes) -> Headers:
        """Return the headers that a request needs besides those it has, at this moment."""
        key = self._key()
        request = AWSRequest(method=method, url=url, data=body, headers=dict(headers))
        credentials = ReadOnlyCredentials(key.id, key.secret, key.token)
        SigV4Auth(credentials, SERVICE, self._region).add_auth(request)
        return tuple(
            (name.lower(), request.headers[name]) for name in _SENT if name in request.headers
        )
