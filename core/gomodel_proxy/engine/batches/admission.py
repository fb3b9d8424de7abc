"""Whether a line can be executed: checked before anything of its batch is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from gomodel_proxy.api import InvalidRequest, NotFound, Shipment

if TYPE_CHECKING:
    from gomodel_proxy.api import Batch, Dialect, Fields, Shipping, ShippingTerms, Target
    from gomodel_proxy.engine.account import Account
    from gomodel_proxy.engine.generation import Generation
    from gomodel_proxy.wire.openai_batch_lines import Line

__all__ = ["Admission", "Admitted", "Shipments"]

_OVERHEAD: Final = 256  # bytes that a vendor's way to write a line adds to its body
_ROOM: Final = 0.9  # of a vendor's limit: a translated body may be longer than the caller's


class Admitted(msgspec.Struct, frozen=True, gc=False):
    """A line that can be executed, and by whom. ``shipping`` says that its vendor will."""

    model: str
    target: Target
    shipping: tuple[str, ShippingTerms] | None = None


class Admission:
    """Checks the lines of one batch. What routing found for a model is remembered."""

    def __init__(self, g: Generation, batch: Batch) -> None:
        self._g = g
        self._mode = batch.mode if batch.mode != "auto" else g.configuration.batches.mode
        self._known: dict[tuple[str, str, str | None], Admitted] = {}

    async def admit(self, line: Line) -> Admitted:
        """Return who executes a line; raises `GatewayError`, `Unavailable` if none can know."""
        limit = self._g.configuration.server.body_limit
        if len(line.body) > limit:
            raise InvalidRequest(
                f"'body' is longer than {limit} bytes (server.body_limit).",
                code="line_too_long",
                param="body",
            )
        dialect = self.check_url(self._g, line.url, "url")
        try:
            fields = dialect.read(line.body, {})
        except InvalidRequest as error:
            error.param = "body" if error.param is None else f"body.{error.param}"
            raise
        if fields.stream:
            raise InvalidRequest(
                "A batch has no streams: leave 'stream' out.",
                code="stream_not_supported",
                param="body.stream",
            )
        known = self._known.get((line.url, fields.model, fields.provider))
        if known is None:
            known = await self._find(line.url, dialect, fields)
        if known.shipping is not None and fields.references:
            return Admitted(known.model, known.target)  # what it goes on from is known here alone
        return known

    @staticmethod
    def check_url(g: Generation, url: str, param: str) -> Dialect:
        """Return the dialect that lines for a URL are in; raises `InvalidRequest`."""
        dialect = g.paths.get(url)
        if dialect is None or dialect.name in g.estimates:
            able = sorted(
                path
                for path, known in g.paths.items()
                if "{" not in path and known.name not in g.estimates
            )
            raise InvalidRequest(
                f"'{param}' is {url[:100]}, and lines may name {', '.join(able)}.",
                code="invalid_url",
                param=param,
            )
        return dialect

    async def _find(self, url: str, dialect: Dialect, fields: Fields) -> Admitted:
        try:
            targets = await self._g.routes.find(fields.model, fields.provider, dialect.operation)
        except (InvalidRequest, NotFound) as error:
            error.param = "body.model"
            raise
        shipping = None if self._mode == "executed" else self._terms(dialect, targets[0])
        if shipping is None and self._mode == "native":
            raise InvalidRequest(
                f"Provider '{targets[0].provider}' has no batches of its own for {url} here.",
                code="native_not_available",
                param="body.model",
            )
        admitted = Admitted(fields.model, targets[0], shipping)
        self._known[url, fields.model, fields.provider] = admitted
        return admitted

    def _terms(self, dialect: Dialect, target: Target) -> tuple[str, ShippingTerms] | None:
        """Return in which dialect a vendor takes such lines, and on what terms."""
        account = self._g.accounts[target.provider]
        shipping = _shipping(account)
        # limits and guardrails are for what passes here: a vendor's batch would go round them
        if shipping is None or self._g.policy is not None:
            return None
        lane = self._g.lanes.find(account, dialect)
        terms = None if lane is None else shipping.terms(lane.dialect.name, target.model)
        return None if lane is None or terms is None else (lane.dialect.name, terms)


def _shipping(account: Account) -> Shipping | None:
    found: Shipping | None = getattr(account.provider, "shipping", None)
    return found


class Shipments:
    """Gives lines to shipments, in order; a new one is begun where a vendor's limit is met."""

    def __init__(self, batch: Batch, size: int) -> None:
        self._id = batch.id
        self._size = size
        self._all = list(batch.shipments)
        self._open = {_key(shipment): shipment.number for shipment in batch.shipments}

    @property
    def all(self) -> tuple[Shipment, ...]:
        """All shipments so far."""
        return tuple(self._all)

    def place(self, admitted: Admitted, size: int) -> int | None:
        """Return the number of the shipment for a line of that many bytes, None if it has none."""
        if admitted.shipping is None:
            return None
        dialect, terms = admitted.shipping
        target = admitted.target
        size += _OVERHEAD
        key = target.provider, target.model if terms.by_model else "", dialect
        number = self._open.get(key)
        if number is None or not self._fits(self._all[number], terms, size):
            number = len(self._all)
            self._open[key] = number
            self._all.append(
                Shipment(
                    number=number,
                    provider=key[0],
                    model=key[1],
                    dialect=dialect,
                    mark=f"{self._id}-{number}",
                )
            )
        shipment = self._all[number]
        self._all[number] = msgspec.structs.replace(
            shipment, lines=shipment.lines + 1, size=shipment.size + size
        )
        return number

    def _fits(self, shipment: Shipment, terms: ShippingTerms, size: int) -> bool:
        limit = min(self._size, int(terms.size * _ROOM))
        return shipment.lines < terms.lines and shipment.size + size <= limit


def _key(shipment: Shipment) -> tuple[str, str, str]:
    return shipment.provider, shipment.model, shipment.dialect
