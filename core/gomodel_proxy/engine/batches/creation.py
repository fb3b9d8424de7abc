"""Making a batch: what is asked for, checked and kept; the rest is done by whoever claims it."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec.structs import replace

from gomodel_proxy.api import Batch, InvalidRequest, NotFound, StoredFile, Webhook
from gomodel_proxy.engine.ids import new, now
from gomodel_proxy.wire import json
from gomodel_proxy.wire.openai_batch_lines import Line, checked, path_of, write_line

from .admission import Admission
from .stores import batches_of, files_of
from .webhook import check_url

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from gomodel_proxy.api import BatchAsk, Batches, BatchMode, Files, LineAsk, Principal
    from gomodel_proxy.engine.generation import Generation

__all__ = ["Asker", "create"]

_WINDOW: Final = re.compile(r"([1-9][0-9]{0,3})(m|h|d)\Z")
_UNITS: Final = {"m": 60, "h": 3600, "d": 86400}
_LONGEST: Final = 30 * 86400
_SECOND: Final = 1_000_000
_TOGETHER: Final = 1000  # lines written at once
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


async def create(g: Generation, asker: Asker, ask: BatchAsk, key: str | None) -> Batch:
    """Keep a new batch and return it, or the one that was made with this key before.

    Raises `InvalidRequest`, for a fault in a line that was sent along too, and `NotFound` for the
    input file.
    """
    batches, files = batches_of(g), files_of(g)
    batch = _batch(g, asker, ask)
    if (known := await _known(batches, batch, key)) is not None:
        return known
    if ask.lines is not None:
        lines = await _checked(g, batch, ask.lines)
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
    """Return what a key has made before, whatever has become of its file and models since."""
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
        for start in range(0, len(lines), _TOGETHER):
            yield b"".join(map(write_line, lines[start : start + _TOGETHER]))

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
