"""Who calls: configured keys first, then the authenticators of plugins, then a clear no."""

from __future__ import annotations

import hashlib
import hmac
import os
from typing import TYPE_CHECKING

from gomodel_proxy.api import ANONYMOUS, InvalidRequest, Principal, Unauthenticated

from .run import in_task

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gomodel_proxy.api import Authenticator, Secret

__all__ = ["Door", "Keys", "credential", "user_path"]

_REMEMBERED = 4096


def credential(headers: Mapping[str, str]) -> str | None:
    """Return what the caller presents: ``Authorization: Bearer``, else ``x-api-key``."""
    given = headers.get("authorization")
    if given is not None:
        scheme, _, token = given.partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""
    return headers.get("x-api-key")


class Keys:
    """The authenticator of keys that stand in the configuration.

    Keys are kept and compared as keyed digests, so neither a look-up nor a comparison takes time
    that depends on how much of a key was guessed.
    """

    lasting = True

    def __init__(self, keys: Iterable[tuple[Secret, Principal]]) -> None:
        self._pepper = os.urandom(32)
        self._known = [
            (self._digest(secret.reveal()), principal) for secret, principal in keys if secret
        ]

    def _digest(self, token: str) -> bytes:
        return hashlib.blake2b(
            token.encode("utf-8", "surrogateescape"), key=self._pepper, digest_size=32
        ).digest()

    async def identify(self, headers: Mapping[str, str]) -> Principal | None:
        """Return the principal of the presented key, None if it is none of these."""
        token = credential(headers)
        if not token:
            return None
        given = self._digest(token)
        found = None
        for known, principal in self._known:
            if hmac.compare_digest(known, given):
                found = principal
        return found


class Door:
    """Lets callers in. Without authenticators it is open, and everybody is `ANONYMOUS`."""

    def __init__(self, authenticators: Sequence[Authenticator]) -> None:
        self._authenticators = tuple(authenticators)
        self.open = not self._authenticators
        self._remembered: dict[tuple[str | None, str | None], Principal] = {}

    def recall(self, headers: Mapping[str, str]) -> Principal | None:
        """Return the principal of credentials seen before, without waiting."""
        if self.open:
            return ANONYMOUS
        return self._remembered.get((headers.get("authorization"), headers.get("x-api-key")))

    async def identify(self, headers: Mapping[str, str]) -> Principal:
        """Return who calls; raises `Unauthenticated`."""
        if self.open:
            return ANONYMOUS
        await in_task()
        for authenticator in self._authenticators:
            found = await authenticator.identify(headers)
            if found is not None:
                if authenticator.lasting:
                    self._remember(headers, found)
                return found
        if credential(headers) is None:
            raise Unauthenticated(
                "No API key was given. Send it as 'Authorization: Bearer KEY' or 'x-api-key: KEY'.",
                code="missing_api_key",
            )
        raise Unauthenticated("The API key given is not known here.", code="invalid_api_key")

    def _remember(self, headers: Mapping[str, str], principal: Principal) -> None:
        if len(self._remembered) >= _REMEMBERED:
            self._remembered.clear()
        self._remembered[headers.get("authorization"), headers.get("x-api-key")] = principal


def user_path(principal: Principal, headers: Mapping[str, str]) -> str:
    """Return the tenancy path of a call: the key's own, else the header of an admin."""
    if principal.user_path != "/" or not principal.admin:
        return principal.user_path
    given = headers.get("x-gomodel-user-path")
    return "/" if given is None else normal_path(given)


def normal_path(given: str) -> str:
    """Return a user path with a leading slash and single slashes; raises `InvalidRequest`."""
    parts = [part for part in (piece.strip() for piece in given.split("/")) if part]
    for part in parts:
        if part in (".", "..") or ":" in part or not part.isprintable():
            raise InvalidRequest(
                "X-GoModel-User-Path takes names joined by slashes, without '.', '..' or ':'.",
                code="invalid_user_path",
            )
    path = "/" + "/".join(parts)
    if len(path) > 512:
        raise InvalidRequest("X-GoModel-User-Path is longer than 512 characters.")
    return path
