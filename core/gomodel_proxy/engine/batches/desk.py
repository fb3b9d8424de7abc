"""What callers can do with batches, whatever dialect they see them in."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec.structs import replace

from gomodel_proxy.api import (
    Batch,
    Forbidden,
    InvalidRequest,
    NotFound,
    StoredFile,
    Unavailable,
    Webhook,
)
from gomodel_proxy.engine.ids import new, now
from gomodel_proxy.wire import json
from gomodel_proxy.wire.openai_batch_lines import Line, checked, path_of, write_line

from . import states
from .admission import Admission
from .finishing import unexecuted
from .webhook import check_url

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from gomodel_proxy.api import (
        BatchAsk,
        Batches,
        BatchMode,
        Dialect,
        Files,
        LineAsk,
        LineResult,
        Principal,
    )
    from gomodel_proxy.engine.generation import Generation

__all__ = [
    "Asker",
    "cancel",
    "content",
    "create",
    "files_of",
    "find",
    "page",
    "remove",
    "resend",
    "results",
]

_WINDOW: Final = re.compile(r"([1-9][0-9]{0,3})(m|h|d)\Z")
_UNITS: Final = {"m": 60, "h": 3600, "d": 86400}
_LONGEST: Final = 30 * 86400
_SECOND: Final = 1_000_000
_PAGE: Final = 1000
_MODES: Final = ("auto", "native", "executed")
_PER_CALL: Final = frozenset({"idempotency-key", "traceparent", "tracestate", "baggage"})


class Asker(NamedTuple):
    """Who asks. ``headers`` have lower-case names."""

    principal: Principal
    user_path: str
    headers: Mapping[str, str]

    @property
    def owner(self) -> str | None:
        """Whose things he sees; None for everybody's."""
        return None if self.principal.admin else self.principal.id


def batches_of(g: Generation) -> Batches:
    """Return where batches are kept; raises `Unavailable` if nothing keeps them."""
    if g.store is None or g.store.batches is None:
        raise _storeless("Batches")
    return g.store.batches


def files_of(g: Generation) -> Files:
    """Return where files are kept; raises `Unavailable` if nothing keeps them."""
    if g.store is None or g.store.files is None:
        raise _storeless("Files")
    return g.store.files


def _storeless(what: str) -> Unavailable:
    return Unavailable(
        f"{what} need a store: install gomodel-proxy-sqlite and configure [store].",
        code="no_store",
        status=501,
    )


# ---------------------------------------------------------------- create


async def create(
    g: Generation, asker: Asker, dialect: Dialect, ask: BatchAsk, key: str | None
) -> Batch:
    """Keep a new batch and return it, or the one that was made with this key before.

    Raises `InvalidRequest`, for a fault in a line that was sent along too, and `NotFound` for the
    input file.
    """
    batches, files = batches_of(g), files_of(g)
    batch = _batch(g, asker, ask)
    if ask.lines is not None:
        lines = await _checked(g, batch, ask.lines)
        if (known := await _known(batches, batch, key)) is not None:
            return known
        batch = await _materialised(files, batch, lines)
    elif ask.input_file is None:
        raise InvalidRequest(
            "A batch needs 'input_file_id' or 'requests'.",
            code="missing_required_parameter",
            param="input_file_id",
        )
    else:
        await _check_input(files, asker, ask.input_file)
    made = await batches.create(batch, key)
    if made.id != batch.id and ask.lines is not None:
        await files.delete(batch.input_file, None)
    return _same(made, batch)


def _batch(g: Generation, asker: Asker, ask: BatchAsk) -> Batch:
    created = now()
    metadata = ask.metadata
    webhook = metadata.get("gomodel_webhook_url")
    if webhook is not None:
        check_url(webhook, g.configuration.batches)
    return Batch(
        id=new("batch_"),
        owner=asker.principal.id,
        user_path=asker.user_path,
        admin=asker.principal.admin,
        created=created,
        expires=created + _window(ask.window) * _SECOND,
        input_file=ask.input_file or "",
        endpoint=_endpoint(g, ask.endpoint),
        window=ask.window,
        mode=_mode(metadata),
        metadata=json.encode(metadata),
        headers=_headers(g, asker.headers),
        fingerprint=_fingerprint(ask),
        due=created,
        webhook=None if webhook is None else Webhook(url=webhook),
        output_lifetime=ask.output_lifetime,
    )


def _window(text: str) -> int:
    match = _WINDOW.match(text)
    seconds = int(match[1]) * _UNITS[match[2]] if match else 0
    if not 0 < seconds <= _LONGEST:
        raise InvalidRequest(
            "'completion_window' must be a time of at most 30 days, such as '24h' or '7d', not "
            f"'{text[:20]}'.",
            code="invalid_value",
            param="completion_window",
        )
    return seconds


def _endpoint(g: Generation, text: str) -> str:
    endpoint = path_of(text) if text else ""
    if text:
        Admission.check_url(g, endpoint, "endpoint")
    return endpoint


def _mode(metadata: Mapping[str, str]) -> BatchMode:
    mode = metadata.get("gomodel_mode", "auto")
    for known in _MODES:
        if mode == known:
            return known
    raise InvalidRequest(
        f"'gomodel_mode' must be one of {', '.join(_MODES)}, not '{mode[:20]}'.",
        code="invalid_value",
        param="metadata.gomodel_mode",
    )


def _headers(g: Generation, headers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return the headers that the lines take along, as if each had been sent by itself."""
    allowed = frozenset({"x-gomodel-strict"}).union(*(d.headers for d in g.dialects.values()))
    return tuple((name, headers[name]) for name in sorted(allowed - _PER_CALL) if name in headers)


def _fingerprint(ask: BatchAsk) -> str:
    lines = [] if ask.lines is None else list(ask.lines)
    asked = [ask.endpoint, ask.window, ask.input_file, lines, sorted(ask.metadata.items())]
    return hashlib.sha256(json.encode(asked)).hexdigest()


async def _checked(g: Generation, batch: Batch, asks: Sequence[LineAsk]) -> list[Line]:
    if not asks:
        raise InvalidRequest("'requests' is empty.", code="empty_batch", param="requests")
    admission = Admission(g, batch)
    lines: list[Line] = []
    seen: dict[str, int] = {}
    for index, ask in enumerate(asks):
        place = f"requests[{index}]"
        try:
            line = checked(ask, batch.endpoint)
            await admission.admit(line)
        except (InvalidRequest, NotFound) as error:
            error.message = f"{place}: {error.message}"
            error.param = place if error.param is None else f"{place}.{error.param}"
            raise
        first = seen.setdefault(line.custom_id, index)
        if first != index:
            raise InvalidRequest(
                f"{place}: requests[{first}] has the custom_id '{line.custom_id[:100]}' too.",
                code="duplicate_custom_id",
                param=f"{place}.custom_id",
            )
        lines.append(line)
    return lines


async def _known(batches: Batches, batch: Batch, key: str | None) -> Batch | None:
    """Return what a key has made before, so that no file is written for it again."""
    if key is None:
        return None
    made = await batches.made(batch.owner, key)
    return None if made is None else _same(made, batch)


def _same(made: Batch, batch: Batch) -> Batch:
    if made.fingerprint == batch.fingerprint:
        return made
    raise InvalidRequest(
        f"This Idempotency-Key has made {made.id}, by a request that was not the same.",
        code="idempotency_key_reused",
        status=409,
    )


async def _materialised(files: Files, batch: Batch, lines: Sequence[Line]) -> Batch:
    """Write the lines of a request into a file, so that they are taken in as any others."""

    async def content() -> AsyncIterator[bytes]:
        for start in range(0, len(lines), _PAGE):
            yield b"".join(map(write_line, lines[start : start + _PAGE]))

    file = await files.save(
        StoredFile(
            id=new("file-"),
            owner=batch.owner,
            user_path=batch.user_path,
            created=batch.created,
            name=f"{batch.id}.jsonl",
            purpose="batch",
        ),
        content(),
    )
    return replace(batch, input_file=file.id)


async def _check_input(files: Files, asker: Asker, id_: str) -> None:
    file = await files.find(id_, asker.owner)
    if file is None:
        raise NotFound(
            f"No file with id '{id_[:100]}' was found.",
            code="file_not_found",
            param="input_file_id",
        )
    if file.batch is not None:
        raise InvalidRequest(
            "'input_file_id' names the output of a batch.",
            code="invalid_file",
            param="input_file_id",
        )


# ---------------------------------------------------------------- look and change


def _missing(id_: str) -> NotFound:
    return NotFound(
        f"No batch with id '{id_[:100]}' was found.", code="batch_not_found", param="id"
    )


def _owner(principal: Principal) -> str | None:
    return None if principal.admin else principal.id


async def find(g: Generation, principal: Principal, id: str) -> Batch:
    """Return a batch; raises `NotFound`."""
    batch = await batches_of(g).find(id, _owner(principal))
    if batch is None:
        raise _missing(id)
    return batch


async def page(
    g: Generation,
    principal: Principal,
    *,
    limit: int,
    after: str | None = None,
    before: str | None = None,
) -> tuple[Sequence[Batch], bool]:
    """Return batches, newest first, and whether more follow; raises `NotFound` for a cursor."""
    try:
        found = await batches_of(g).list(
            _owner(principal), limit=limit + 1, after=after, before=before
        )
    except LookupError:
        raise _missing(after or before or "") from None
    if before is not None:
        return found[-limit:], len(found) > limit
    return found[:limit], len(found) > limit


async def cancel(g: Generation, principal: Principal, id: str) -> Batch:
    """Have a batch stopped; what it has is kept. Raises `InvalidRequest` if it has ended."""
    batch = await find(g, principal, id)
    time = now()
    changed = await batches_of(g).change(id, lambda it: states.cancelling(it, time))
    if changed is None:
        raise _missing(id)
    if states.ended(batch):
        raise InvalidRequest(
            f"This batch is {batch.status}: it cannot be cancelled any more.",
            code="batch_ended",
            status=409,
        )
    return changed


async def remove(g: Generation, principal: Principal, id: str) -> None:
    """Delete a batch that has ended, with its results."""
    batch = await find(g, principal, id)
    if not states.ended(batch):
        raise InvalidRequest(
            f"This batch is {batch.status}: cancel it first, or wait until it has ended.",
            code="batch_not_ended",
        )
    if not await batches_of(g).delete(id, _owner(principal)):
        raise _missing(id)
    for file in filter(None, (batch.output_file, batch.error_file)):
        await files_of(g).delete(file, None)


async def resend(g: Generation, principal: Principal, id: str) -> Batch:
    """Let shipments be sent again that a vendor may have taken already: an admin's word."""
    if not principal.admin:
        raise Forbidden("Only the master key and admin keys may do this.", code="admin_only")
    batch = await find(g, principal, id)
    if not any(shipment.state == "uncertain" for shipment in batch.shipments):
        raise InvalidRequest("No submission of this batch is uncertain.", code="nothing_uncertain")
    time = now()

    def word(it: Batch) -> Batch:
        shipments = tuple(
            replace(one, resend=True, due=time) if one.state == "uncertain" else one
            for one in it.shipments
        )
        return replace(it, shipments=shipments, due=time)

    changed = await batches_of(g).change(id, word)
    if changed is None:
        raise _missing(id)
    return changed


# ---------------------------------------------------------------- results


async def results(
    g: Generation, batch: Batch, *, limit: int, after: int = -1, failed: bool | None = None
) -> Sequence[LineResult]:
    """Return what became of the lines of a batch that has ended, in order; each has a result."""
    if batch.status == "failed":
        return ()
    found = await batches_of(g).results(batch.id, limit=limit, after=after, failed=failed)
    return [
        replace(one, result=unexecuted(batch, one), failed=True) if one.result is None else one
        for one in found
    ]


async def content(g: Generation, file: StoredFile, start: int = 0) -> AsyncIterator[bytes]:
    """Yield the bytes of any file: the store's, or a batch's results; raises `NotFound`."""
    missing = NotFound(f"No file with id '{file.id[:100]}' was found.", code="file_not_found")
    if file.batch is None:
        try:
            async for piece in files_of(g).read(file.id, start):
                yield piece
        except LookupError:
            raise missing from None
        return
    batch = await batches_of(g).find(file.batch, None)
    if batch is None:
        raise missing
    async for piece in _rendered(g, batch, failed=file.id == batch.error_file):
        if start >= len(piece):
            start -= len(piece)
            continue
        yield piece[start:] if start else piece
        start = 0


async def _rendered(g: Generation, batch: Batch, *, failed: bool) -> AsyncIterator[bytes]:
    after = -1
    while True:
        found = await results(g, batch, limit=_PAGE, after=after, failed=failed)
        if not found:
            return
        yield b"".join(b"%b\n" % one.result for one in found if one.result is not None)
        after = found[-1].index
