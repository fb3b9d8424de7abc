"""One line's way to a vendor's batch, and its result's way back into the line's own dialect."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from gomodel_proxy.api import (
    Ask,
    Attempt,
    GatewayError,
    InvalidRequest,
    LedgerRow,
    NotFound,
    Outcome,
    UpstreamError,
)
from gomodel_proxy.engine.translation import refuse_losses
from gomodel_proxy.wire import openai_batch_results as results

from .lines import result_id
from .states import UNEXECUTED, spent

if TYPE_CHECKING:
    from gomodel_proxy.api import (
        Batch,
        BatchLine,
        Dialect,
        Fields,
        Passage,
        Shipment,
        Shipping,
        VendorResult,
    )
    from gomodel_proxy.engine.account import Account
    from gomodel_proxy.engine.generation import Generation
    from gomodel_proxy.engine.translation import Lane

__all__ = ["Crossing", "line_id", "line_index"]


def line_id(batch: str, index: int) -> str:
    """Return the id under which a vendor knows a line."""
    return f"{batch.removeprefix('batch_')}-{index}"


def line_index(batch: str, id: str) -> int | None:
    """Return the index of the line with that id, None if it is no line's of this batch."""
    hex_, _, index = id.rpartition("-")
    if hex_ != batch.removeprefix("batch_") or not (index.isascii() and index.isdecimal()):
        return None
    return int(index) if len(index) < 10 else None


class _Way(NamedTuple):
    """How a line gets to its vendor."""

    dialect: Dialect
    lane: Lane
    fields: Fields


class Crossing:
    """Takes the lines of one shipment over and their results back."""

    def __init__(
        self, g: Generation, account: Account, shipping: Shipping, batch: Batch, shipment: Shipment
    ) -> None:
        self._g = g
        self._account = account
        self._shipping = shipping
        self._batch = batch
        self._shipment = shipment
        headers = dict(batch.headers)
        self._strict = g.configuration.routing.strict or headers.get("x-gomodel-strict") == "1"

    async def out(self, line: BatchLine) -> bytes:
        """Return a line as the vendor takes it; raises `GatewayError` if it cannot be sent."""
        way = self._way(line)
        account, lane = self._account, way.lane
        model = await self._model(way.dialect, way.fields)
        body = way.fields.readdress(model, ask_usage=False)
        if lane.translator is not None:
            passage = await lane.begin(body, model, account.traits(model), self._g.assets, {})
            if self._strict:
                refuse_losses(passage.losses)
            body = lane.dialect.read(passage.body, {}).readdress(model, ask_usage=False)
        request = account.provider.request(
            Ask(
                operation=way.dialect.operation,
                dialect=lane.dialect.name,
                model=model,
                stream=False,
                body=body,
            )
        )
        id_ = line_id(self._batch.id, line.index)
        return self._shipping.line(id_, lane.dialect.name, model, request.body)

    async def back(self, line: BatchLine, result: VendorResult) -> Outcome:
        """Return what a result means for its line."""
        if result.kind != "done":
            return self.unexecuted(line, result.kind)
        try:
            way = self._way(line)
        except GatewayError as error:  # the configuration has changed since
            return self.refused(line, error)
        try:
            model = await self._model(way.dialect, way.fields)
        except GatewayError:  # not offered any more, and yet it has answered
            model = way.fields.model.removeprefix(f"{self._account.name}/")
        row = self._row(line, way.dialect, way.fields.model, model)
        attempt = row.attempts[0]
        attempt.http_status = row.http_status = result.status
        try:
            body = await self._reply(way, row, result)
        except UpstreamError as error:
            self._account.masked(error)
            self._account.charge(attempt, batch=True)
            return self._refused(line, way.dialect, row, error)
        attempt.status = row.status = "ok"
        self._account.charge(attempt, batch=True)
        return self._outcome(line, result.status, body, row, failed=False)

    def refused(self, line: BatchLine, error: GatewayError) -> Outcome:
        """Return the outcome of a line that was never executed: by us, or by the vendor."""
        dialect = self._g.paths.get(line.url)
        if dialect is None:
            return self.nothing(line, error.code or error.kind, error.message)
        row = self._row(line, dialect, line.model, self._shipment.model or line.model)
        if not isinstance(error, UpstreamError):
            row.attempts.clear()  # nothing of it was sent
        return self._refused(line, dialect, row, error)

    def unexecuted(self, line: BatchLine, end: str) -> Outcome:
        """Return the outcome of a line that the vendor has "cancelled", or let be "expired"."""
        return self.nothing(line, *UNEXECUTED[end])

    def nothing(self, line: BatchLine, code: str, message: str) -> Outcome:
        """Return the outcome of a line that got no answer."""
        id_ = result_id(self._batch.id, line.index)
        return Outcome(
            batch=self._batch.id,
            index=line.index,
            token=None,
            failed=True,
            status_code=0,
            result=results.write_error(id_, line.custom_id, code, message),
            provider=self._account.name,
            model=self._shipment.model or line.model,
            shipment=self._shipment.number,
        )

    def missing(self, line: BatchLine) -> Outcome:
        """Return the outcome of a line that the vendor's results do not mention, or not legibly.

        It may have been charged, so the ledger knows of it.
        """
        outcome = self.nothing(
            line, "missing_result", "The provider's results say nothing of this request."
        )
        dialect = self._g.paths.get(line.url)
        if dialect is None:
            return outcome
        row = self._row(line, dialect, line.model, self._shipment.model or line.model)
        row.error = row.attempts[0].error = "missing_result"
        return _with(outcome, row)

    # ------------------------------------------------------------

    def _way(self, line: BatchLine) -> _Way:
        dialect = self._g.paths.get(line.url)
        lane = None if dialect is None else self._g.lanes.find(self._account, dialect)
        if dialect is None or lane is None or lane.dialect.name != self._shipment.dialect:
            raise InvalidRequest(
                f"Provider '{self._account.name}' cannot be reached from {line.url} any more.",
                code="dialect_not_supported",
            )
        return _Way(dialect, lane, dialect.read(line.body, {}))

    async def _model(self, dialect: Dialect, fields: Fields) -> str:
        """Return the vendor's own name for a line's model."""
        if self._shipment.model:
            return self._shipment.model
        asked = (fields.model, fields.provider, dialect.operation)
        targets = self._g.routes.recall(*asked) or await self._g.routes.find(*asked)
        for target in targets:
            if target.provider == self._account.name:
                return target.model
        raise NotFound(
            f"Provider '{self._account.name}' does not offer '{fields.model}' any more.",
            code="model_not_found",
            param="model",
        )

    async def _reply(self, way: _Way, row: LedgerRow, result: VendorResult) -> bytes:
        """Return a reply in the line's own dialect, and note what it used."""
        account, lane, attempt = self._account, way.lane, row.attempts[0]
        if result.status >= 400:
            error = account.failure(result.status, (), result.body)
            if lane.translator is not None:
                error.body = b""  # the provider's shape is not the caller's
            raise error
        try:
            body, attempt.usage, created = lane.dialect.reply(result.body, account.name)
        except UpstreamError:
            attempt.usage = lane.dialect.usage(result.body)  # no use, and yet it may cost money
            raise
        for item in created:
            kind, _, id_ = item.partition(":")
            self._g.enter_resource(kind, id_, self._batch.owner, account.name)
        if lane.translator is None:
            return body
        passage = await self._passage(way, row.served_model)
        row.losses = list(passage.losses)
        try:
            translation = passage.reply(result.body)
        except ValueError as error:
            raise UpstreamError(
                f"The provider's reply makes no sense: {error}", code="malformed_reply"
            ) from error
        row.losses += translation.losses
        attempt.usage = attempt.usage or translation.usage
        return way.dialect.reply(translation.body, account.name)[0]

    async def _passage(self, way: _Way, model: str) -> Passage:
        """Begin the translation again, without the media: they were fetched when it was sent."""
        body = way.fields.readdress(model, ask_usage=False)
        traits = self._account.traits(model)
        try:
            return await way.lane.begin(body, model, traits, None, {})
        except InvalidRequest:  # it cannot be written without them
            return await way.lane.begin(body, model, traits, self._g.assets, {})

    def _row(self, line: BatchLine, dialect: Dialect, asked: str, model: str) -> LedgerRow:
        """Return the row of a line; its id is made of the line, so it is written once."""
        batch, account = self._batch, self._account
        began = self._shipment.began or batch.created
        id_ = f"req_{batch.id.removeprefix('batch_')}_{line.index}"
        attempt = Attempt(
            id=f"{id_}.0", provider=account.name, type=account.type, model=model, started=began
        )
        return LedgerRow(
            id=id_,
            request_id=id_,
            started=began,
            principal=batch.owner,
            user_path=batch.user_path,
            operation=dialect.operation,
            dialect=dialect.name,
            model=asked,
            provider=account.name,
            type=account.type,
            served_model=model,
            batch=batch.id,
            losses=[],
            attempts=[attempt],
        )

    def _refused(
        self, line: BatchLine, dialect: Dialect, row: LedgerRow, error: GatewayError
    ) -> Outcome:
        row.status = "error"
        row.error = error.code or error.kind
        row.http_status = error.status
        for attempt in row.attempts:
            attempt.status, attempt.error = "error", row.error
        told = error.body if isinstance(error, UpstreamError) and error.body else b""
        return self._outcome(line, error.status, told or dialect.error(error), row, failed=True)

    def _outcome(
        self, line: BatchLine, status: int, body: bytes, row: LedgerRow, *, failed: bool
    ) -> Outcome:
        id_ = result_id(self._batch.id, line.index)
        outcome = Outcome(
            batch=self._batch.id,
            index=line.index,
            token=None,
            failed=failed,
            status_code=status,
            result=results.write_reply(id_, line.custom_id, status, row.id, body),
            provider=self._account.name,
            model=row.served_model,
            shipment=self._shipment.number,
        )
        return _with(outcome, row)


def _with(outcome: Outcome, row: LedgerRow) -> Outcome:
    return replace(outcome, rows=(row,), spent=spent((row,)))
