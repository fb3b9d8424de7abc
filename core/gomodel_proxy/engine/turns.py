"""Turns: what a call goes on from, and what is kept of it, where no vendor keeps it.

A caller names an earlier response or a conversation. If the gateway keeps that, its items are
written into the request, whoever serves it; a translated turn is kept too. What a vendor keeps is
left to the vendor. An item joins its conversation even when the response itself is not to be
stored: whoever names a conversation asks for that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gomodel_proxy.api import InvalidRequest, NotFound, StoredResponse

from .ids import new, now
from .translation import LOSSY, lossy_header

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gomodel_proxy.api import (
        Asked,
        Call,
        Dialect,
        Fields,
        GatewayError,
        History,
        LedgerRow,
        Responses,
        Stage,
        StoredItem,
        Target,
    )

    from .generation import Generation
    from .replies import Answer

__all__ = ["UNSUPPORTED", "Turn", "items_of", "recall"]

UNSUPPORTED = "unsupported_response_operation"
"""The code of an error that says a response's provider, or the gateway, cannot do that."""

_MEMBERS = {"response": "previous_response_id", "conversation": "conversation"}


async def recall(
    g: Generation, call: Call, history: History, fields: Fields, targets: Sequence[Target]
) -> Turn:
    """Return the turn of a call, with the items that the gateway keeps of earlier ones.

    Names that are not the gateway's are left to others. Raises `InvalidRequest`.
    """
    turn = Turn(g, call, history)
    named = [reference for reference in fields.references if reference[0] in _MEMBERS]
    if not named:
        return turn
    if len(named) > 1:
        raise InvalidRequest(
            "A request goes on from 'previous_response_id' or from 'conversation', not from both.",
            code="mutually_exclusive_parameters",
            param="previous_response_id",
        )
    ((kind, id_),) = named
    if g.store is not None and g.store.responses is not None:
        await turn.go_on(g.store.responses, kind, id_)
    elif targets and not any(_native(g, call, target) for target in targets):
        raise _storeless(_MEMBERS[kind])
    return turn


def _native(g: Generation, call: Call, target: Target) -> bool:
    return call.dialect in g.accounts[target.provider].speaks.get(call.operation, ())


class Turn:
    """One call of a dialect with a `History`. ``found`` are the references that are resolved."""

    __slots__ = (
        "_before",
        "_begun",
        "_call",
        "_g",
        "_history",
        "_kept",
        "_last",
        "_stamps",
        "conversation",
        "found",
        "losses",
        "previous",
    )

    def __init__(self, g: Generation, call: Call, history: History) -> None:
        self._g = g
        self._call = call
        self._history = history
        self._before: Sequence[StoredItem] = ()
        self._kept: str | None = None
        self._stamps: dict[str, Any] = {}
        self._begun: bytes | None = None
        self._last: bytes | None = None
        self.previous: str | None = None
        self.conversation: str | None = None
        self.found: frozenset[tuple[str, str]] = frozenset()
        self.losses: tuple[str, ...] = ()

    async def go_on(self, responses: Responses, kind: str, id_: str) -> None:
        """Take the items of an earlier response or a conversation, if the gateway keeps it."""
        owner = None if self._call.principal.admin else self._call.principal.id
        if kind == "conversation":
            page = await responses.conversations.items(id_, owner)
            if page is None:
                return
            self.conversation, self._before = id_, page.items
        else:
            chain = await responses.chain(id_, owner)
            if not chain:
                return
            self.previous, self._before = id_, items_of(self._history, chain)
        self.found = frozenset({(kind, id_)})

    # ------------------------------------------------------------ request

    def fields(self, dialect: Dialect, fields: Fields, *, native: bool) -> Fields:
        """Return the request as it is to be sent, on its own lane or to be translated.

        Raises `InvalidRequest` for what cannot be done there, before anything is spent.
        """
        self._kept, self._stamps, self.losses = None, {}, ()
        if native and not self.found:
            return fields
        self._decide(native)
        written = self._history.write(self._call.body, self._before, native=native)
        limit = self._g.configuration.server.body_limit
        if len(written.body) > limit:
            raise InvalidRequest(
                f"With the turns it goes on from, this request is longer than {limit} bytes "
                "(server.body_limit).",
                code="conversation_too_long",
                param="input",
            )
        self.losses = written.losses
        return dialect.read(written.body, {})

    def _decide(self, native: bool) -> None:
        """Find out whether to keep this turn, and what its response is to say."""
        if not native:
            asked = self._history.asked(self._call.body)
            self._check(asked)
            store = self._g.store
            kept = asked.keep and store is not None and store.responses is not None
            self._kept = new("resp_") if kept else None
            self._stamps["store"] = kept
        if self._kept is not None:
            self._stamps["id"] = self._kept
        if self.previous is not None:
            self._stamps["previous_response_id"] = self.previous
        if self.conversation is not None:
            self._stamps["conversation"] = {"id": self.conversation}

    def _check(self, asked: Asked) -> None:
        if asked.background:
            raise InvalidRequest(
                "'background' is not possible with this model: its provider answers at once or "
                "not at all.",
                code=UNSUPPORTED,
                param="background",
            )
        for kind, id_ in (("response", asked.previous), ("conversation", asked.conversation)):
            if id_ is None or (kind, id_) in self.found:
                continue
            if self._g.store is None or self._g.store.responses is None:
                raise _storeless(_MEMBERS[kind])
            raise NotFound(f"No {kind} with id '{id_}' was found.", code=f"{kind}_not_found")

    def place(self, text: str) -> str:
        """Return a text in which places are those of the caller's own body."""
        return self._history.place(text, len(self._before))

    def correct(self, error: InvalidRequest) -> None:
        """Let an error name the place in the caller's own body."""
        error.message = self.place(error.message)
        error.param = error.param and self.place(error.param)

    # ------------------------------------------------------------ reply

    @property
    def ended(self) -> bool:
        """Whether the stream's last word has come."""
        return self._last is not None

    def stage(self) -> Stage | None:
        """Return the stage that a stream must pass last, None if the turn is not ours to keep."""
        self._begun = self._last = None
        if not self._stamps or not self._history.keeps:
            return None
        return self._history.stage(self._stamps, self._see)

    def _see(self, response: bytes, last: bool) -> None:
        if last:
            self._last = response
        else:
            self._begun = response

    async def close(self, row: LedgerRow, error: GatewayError | None) -> None:
        """Keep what was streamed; one that broke off is kept as failed."""
        response = self._last
        if response is None and self._begun is not None and error is not None:
            response = self._history.failed(self._begun, error)
        if response is not None and not await self._save(response):
            row.losses.append("store")

    async def keep(self, answer: Answer, row: LedgerRow) -> None:
        """Keep a whole response as the caller gets it."""
        if not self._stamps or not self._history.keeps:
            return
        answer.body = self._history.stamp(answer.body, self._stamps)
        if not await self._save(answer.body):
            row.losses.append("store")
            answer.body = self._history.stamp(answer.body, {"store": False})
            kept = (pair for pair in answer.headers if pair[0] != LOSSY)
            answer.headers = (*kept, (LOSSY, lossy_header(row.losses)))

    async def _save(self, response: bytes) -> bool:
        """Return whether all was kept; the answer is paid for, so it is given even if not."""
        try:
            await self._keep(response)
        except Exception as error:  # whatever a store raises
            self._g.log.error(
                "response.not_kept", request_id=self._call.request_id, error=str(error)
            )
            return False
        return True

    async def _keep(self, response: bytes) -> None:
        store, call = self._g.store, self._call
        if store is None or store.responses is None:
            return
        own = self._history.input(call.body, new)
        items = [*own, *self._history.output(response, new)] if self.conversation else []
        if self._kept is None:
            if self.conversation is not None:
                await store.responses.conversations.add(self.conversation, None, items)
            return
        await store.responses.save(
            StoredResponse(
                id=self._kept,
                owner=call.principal.id,
                user_path=call.user_path,
                provider=call.target.provider if call.target else "",
                model=call.model,
                created=now(),
                input=self._history.listed(own),
                response=response,
                previous=self.previous,
                conversation=self.conversation,
            ),
            items,
        )


def items_of(
    history: History, chain: Sequence[StoredResponse], *, answered: bool = True
) -> Sequence[StoredItem]:
    """Return all items of a chain in order; ``answered`` False leaves the last answer out."""
    items: list[StoredItem] = []
    for turn in chain:
        items += history.input(b'{"input":%b}' % turn.input, new)
        if answered or turn is not chain[-1]:
            items += history.output(turn.response, new)
    return list(dict.fromkeys(items))  # a caller may have sent some again


def _storeless(member: str) -> InvalidRequest:
    return InvalidRequest(
        f"'{member}' needs a store here: install gomodel-proxy-sqlite and configure [store].",
        code="no_store",
        param=member,
    )
