"""Taking a batch in: its input is read, checked and committed, a thousand lines at a time.

Whoever takes over from a process that died goes on where the last commit ended. A batch with a
fault in it sends nothing: it has failed, and says which lines are at fault.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from gomodel_proxy.api import BatchError, BatchLine, GatewayError, Unavailable
from gomodel_proxy.engine.ids import now
from gomodel_proxy.wire.openai_batch_lines import Lines, read_line

from .admission import Admission, Shipments
from .states import begun, refused

if TYPE_CHECKING:
    from gomodel_proxy.api import Batch, Batches
    from gomodel_proxy.engine.generation import Generation

__all__ = ["take_in"]

_TOGETHER: Final = 1000  # lines in one commit
_SIZE: Final = 8 << 20  # bytes in one commit: a few lines may hold whole images
_SECOND: Final = 1_000_000
_UNBROKEN: Final = 32  # lines between which live calls have their turn
_AGAIN: Final = 1_000_000  # microseconds until a batch whose models are not known is tried again


async def take_in(g: Generation, batches: Batches, batch: Batch, token: int) -> None:
    """Bring a batch from "validating" to "in_progress" or "failed", or as far as can be now.

    Where nobody knows whose models there are, it waits, and has failed when its time is over.
    """
    intake = _Intake(g, batches, batch, token)
    try:
        await intake.run()
    except Unavailable as error:
        time = now()
        if time >= batch.expires:
            fault = BatchError(code=error.code or error.kind, message=error.message)
            await batches.change(batch.id, lambda it: refused(it, [fault], time), token)
            return
        g.log.info("batch.intake_waits", batch=batch.id, error=error.message)
        await batches.change(batch.id, lambda it: replace(it, due=time + _AGAIN), token)


class _Lost(Exception):
    """Somebody else takes this batch in, or it was cancelled."""


class _Intake:
    def __init__(self, g: Generation, batches: Batches, batch: Batch, token: int) -> None:
        self._g = g
        self._settings = g.configuration.batches
        self._batches = batches
        self._batch = batch
        self._token = token
        self._admission = Admission(g, batch)
        self._shipments = Shipments(batch, self._settings.shipment_size)
        self._lines: list[BatchLine] = []
        self._size = 0
        self._taken = batch.taken
        self._blanks = batch.blanks
        self._read = batch.read
        self._errors: list[BatchError] = []
        self._queues = dict.fromkeys(batch.queues)

    async def run(self) -> None:
        try:
            await self._read_all()
            await self._commit()
            await self._check_whole()
        except _Lost:
            return
        end = now()
        look = end + int(self._settings.poll_max * _SECOND)
        errors = self._errors
        await self._batches.change(
            self._batch.id,
            lambda batch: refused(batch, errors, end) if errors else begun(batch, end, look),
            self._token,
        )

    async def _read_all(self) -> None:
        files = self._g.store.files if self._g.store is not None else None
        if files is None:
            raise Unavailable("The store keeps no files.", code="no_store")
        cutter = Lines(self._g.configuration.server.body_limit)
        try:
            async for piece in files.read(self._batch.input_file, self._read):
                for number, line in enumerate(cutter.feed(piece)):
                    await self._take(line)
                    if number % _UNBROKEN == 0:
                        await asyncio.sleep(0)
                    if len(self._errors) >= self._settings.max_errors:
                        return
            for line in cutter.close():
                await self._take(line)
        except LookupError:
            self._fault(None, BatchError(code="file_not_found", message="The input file is gone."))
        except GatewayError as error:
            if isinstance(error, Unavailable):
                raise
            self._blame(error)

    async def _take(self, line: bytes) -> None:
        self._read += len(line)
        if not line.strip():
            self._blanks += 1
            return
        if self._taken >= self._settings.max_lines:
            limit = self._settings.max_lines
            raise GatewayError(
                f"A batch has at most {limit} lines (batches.max_lines).", code="too_many_lines"
            )
        try:
            asked = read_line(line, self._batch.endpoint)
            admitted = await self._admission.admit(asked)
        except Unavailable:
            self._read -= len(line)
            await self._commit()
            raise
        except GatewayError as error:
            self._blame(error)
            self._taken += 1
            return
        if not self._errors:
            shipment = self._shipments.place(admitted, len(asked.body))
            if shipment is None:
                self._queues[admitted.target.provider] = None
            self._lines.append(
                BatchLine(
                    index=self._taken,
                    custom_id=asked.custom_id,
                    url=asked.url,
                    model=admitted.model,
                    provider=admitted.target.provider,
                    body=asked.body,
                    shipment=shipment,
                )
            )
            self._size += len(asked.body)
        self._taken += 1
        if len(self._lines) >= _TOGETHER or self._size >= _SIZE:
            await self._commit()

    def _blame(self, error: GatewayError) -> None:
        code = error.code or error.kind
        self._fault(
            self._taken + self._blanks + 1,
            BatchError(code=code, message=error.message, param=error.param),
        )

    def _fault(self, line: int | None, error: BatchError) -> None:
        self._errors.append(replace(error, line=line))

    async def _commit(self) -> None:
        """Commit the lines with the progress they mean; after a fault nothing more is kept."""
        if self._errors:
            return
        taken, blanks, read = self._taken, self._blanks, self._read
        shipments, queues = self._shipments.all, tuple(self._queues)
        batch = await self._batches.add(
            self._batch.id,
            self._token,
            self._lines,
            lambda it: replace(
                it, taken=taken, blanks=blanks, read=read, shipments=shipments, queues=queues
            ),
        )
        self._lines, self._size = [], 0
        if batch is None or batch.status != "validating":
            raise _Lost

    async def _check_whole(self) -> None:
        if self._errors:
            return
        if self._taken == 0:
            self._fault(None, BatchError(code="empty_file", message="The input has no lines."))
            return
        repeats = await self._batches.repeats(self._batch.id, self._settings.max_errors)
        self._errors += [
            BatchError(
                code="duplicate_custom_id",
                message=f"An earlier line has the custom_id '{custom_id[:100]}' too.",
                line=index + 1,
                param="custom_id",
            )
            for index, custom_id in repeats
        ]
