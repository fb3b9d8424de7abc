"""Telling a batch's caller that it has ended, signed as Standard Webhooks are.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
(22 November 2026)
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import random
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from msgspec.structs import replace

from gomodel_proxy.api import (
    ConfigError,
    InvalidRequest,
    UpstreamError,
    UpstreamRequest,
    UpstreamUnreachable,
)
from gomodel_proxy.engine.ids import now
from gomodel_proxy.engine.replies import fetch
from gomodel_proxy.wire import json
from gomodel_proxy.wire.heads import split

from .states import told

if TYPE_CHECKING:
    from gomodel_proxy.api import Batch, Batches, Secret
    from gomodel_proxy.config.settings import Batches as Settings
    from gomodel_proxy.engine.generation import Generation

__all__ = ["check_url", "key", "signature", "tell"]

_SECOND: Final = 1_000_000
_FIRST: Final = 5.0  # seconds to the second try; each further pause is four times as long
_LONGEST: Final = 6 * 3600.0
_LIMIT: Final = 64 * 1024
_PREFIX: Final = "whsec_"


def check_url(url: str, settings: Settings) -> None:
    """Raise `InvalidRequest` unless this may be told; the configuration names the hosts."""
    try:
        host = split(url).host  # as it will be when it is told
    except UpstreamUnreachable:
        raise _refusal("it must be an http or https URL without credentials") from None
    netloc = urlsplit(url).netloc
    if not any(_allows(one, host, netloc) for one in settings.webhook_hosts):
        raise _refusal(f"'{netloc[:100]}' is not in batches.webhook_hosts")
    if not settings.webhook_secret:
        raise _refusal("batches.webhook_secret is not set, so nothing could be signed")


def _allows(allowed: str, host: str, netloc: str) -> bool:
    if allowed.startswith("*."):
        return host.endswith(allowed[1:].lower())
    return allowed.lower() in (host, netloc.lower())


def _refusal(why: str) -> InvalidRequest:
    return InvalidRequest(
        f"'gomodel_webhook_url' cannot be used: {why}.",
        code="invalid_webhook_url",
        param="metadata.gomodel_webhook_url",
    )


def signature(secret: Secret, id_: str, timestamp: int, body: bytes) -> str:
    """Return the header value that proves who wrote it; raises `ConfigError`."""
    signed = b"%b.%d.%b" % (id_.encode(), timestamp, body)
    return f"v1,{base64.b64encode(hmac.digest(key(secret), signed, hashlib.sha256)).decode()}"


def key(secret: Secret) -> bytes:
    """Return what signs; raises `ConfigError` for a secret that is none."""
    try:
        found = base64.b64decode(secret.reveal().removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if not 24 <= len(found) <= 64:
        raise ConfigError(
            'batches.webhook_secret must be "whsec_" and the base64 of 24 to 64 random bytes.'
        )
    return found


async def tell(g: Generation, batches: Batches, batch: Batch, token: int) -> None:
    """Tell it once; note whether that worked, and when to try again."""
    webhook = batch.webhook
    settings = g.configuration.batches
    if webhook is None or webhook.delivered is not None or webhook.tries >= settings.webhook_tries:
        await batches.change(batch.id, lambda it: replace(it, due=None), token)
        return
    time = now()
    body = _body(batch)
    id_ = f"msg_{batch.id.removeprefix('batch_')}"
    stamp = time // _SECOND
    request = UpstreamRequest(
        method="POST",
        url=webhook.url,
        headers=(("content-type", "application/json"),),
        extra=(
            ("webhook-id", id_),
            ("webhook-timestamp", str(stamp)),
            ("webhook-signature", signature(settings.webhook_secret, id_, stamp, body)),
        ),
        body=body,
    )
    error = await _send(g, request)
    tries = webhook.tries + 1
    due = None
    if error is not None:
        g.log.warning("batch.webhook_failed", batch=batch.id, tries=tries, error=error)
        if tries < settings.webhook_tries:
            pause = min(_FIRST * 4 ** (tries - 1), _LONGEST) * random.uniform(0.8, 1.2)  # noqa: S311
            due = time + int(pause * _SECOND)
    await batches.change(batch.id, lambda it: told(it, time, due, error), token)


async def _send(g: Generation, request: UpstreamRequest) -> str | None:
    if g.transport is None:
        return "batches.webhook_hosts is empty now"
    try:
        reply = await fetch(g.transport, request, limit=_LIMIT, within=15.0)
    except UpstreamError as error:
        return error.message
    return None if 200 <= reply.status < 300 else f"status {reply.status}"


def _body(batch: Batch) -> bytes:
    ended = batch.completed_at or batch.failed_at or batch.expired_at or batch.cancelled_at or 0
    return json.encode(
        {
            "type": f"batch.{batch.status}",
            "timestamp": datetime.fromtimestamp(ended / _SECOND, UTC).isoformat(),
            "data": {
                "id": batch.id,
                "status": batch.status,
                "request_counts": {
                    "total": batch.total,
                    "completed": batch.completed,
                    "failed": batch.failed,
                },
                "output_file_id": batch.output_file,
                "error_file_id": batch.error_file,
            },
        }
    )
