"""The order of steps for one call, nothing else."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from gomodel_proxy.api import (
    Call,
    GatewayError,
    InvalidRequest,
    LedgerRow,
    NotFound,
    Principal,
    Target,
    Unavailable,
    UpstreamError,
)

from .admission import user_path
from .attempts import Attempts
from .headers import request_id
from .ids import new, now
from .run import in_task
from .turns import recall

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gomodel_proxy.api import Dialect, Fields, Observer

    from .generation import Generation
    from .replies import Answer
    from .sinks import Sink
    from .turns import Turn

__all__ = ["SHUTTING_DOWN", "execute", "explain", "refuse", "serve"]

SHUTTING_DOWN: Final = "shutting_down"

_JSON = ("content-type", "application/json")
_NO_PATH: Mapping[str, str] = {}


async def serve(
    g: Generation,
    dialect: Dialect,
    headers: Mapping[str, str],
    body: bytes,
    sink: Sink,
    path: Mapping[str, str] = _NO_PATH,
    principal: Principal | None = None,
) -> None:
    """Serve one call to its end: an answer, a stream, or an error in the caller's dialect.

    ``headers`` have lower-case names. ``principal`` is given by callers inside the process.
    Cancelling it drops the upstream at once and settles the row as ``cancelled``; with the message
    `SHUTTING_DOWN` the caller is told so.
    """
    id_ = new("req_")
    call = Call(
        id=id_,
        request_id=request_id(headers, id_),
        operation=dialect.operation,
        dialect=dialect.name,
        headers=headers,
        body=body,
        started=now(),
    )
    g.running += 1
    try:
        if g.running > g.configuration.server.max_requests or g.closing:
            raise _full(g)
        call.principal = principal or g.door.recall(headers) or await g.door.identify(headers)
        call.user_path = user_path(call.principal, headers)
        await _admit(g, call, dialect, path, sink, g.books.settle)
    except GatewayError as error:
        refuse(call.request_id, dialect, sink, error)
    except asyncio.CancelledError as error:
        explain(call.request_id, dialect, sink, error)
        raise
    except Exception:
        g.log.exception("request.failed", request_id=call.request_id)
        fault = GatewayError("The gateway failed at this request.", code="internal_error")
        refuse(call.request_id, dialect, sink, fault)
    finally:
        g.running -= 1


async def execute(
    g: Generation,
    dialect: Dialect,
    headers: Mapping[str, str],
    body: bytes,
    sink: Sink,
    *,
    principal: Principal,
    batch: str,
    settle: Callable[[LedgerRow], None],
) -> None:
    """Execute a line of a batch as a call; raises what `serve` tells its caller.

    ``settle`` is handed the row, which must not change any more, before this returns or raises.
    """
    id_ = new("req_")
    call = Call(
        id=id_,
        request_id=id_,
        operation=dialect.operation,
        dialect=dialect.name,
        headers=headers,
        body=body,
        started=now(),
    )
    call.principal = principal
    call.user_path = principal.user_path
    call.batch = batch
    g.running += 1
    try:
        await _admit(g, call, dialect, _NO_PATH, sink, settle)
    finally:
        g.running -= 1


async def _admit(
    g: Generation,
    call: Call,
    dialect: Dialect,
    path: Mapping[str, str],
    sink: Sink,
    settle: Callable[[LedgerRow], None],
) -> None:
    call.strict = g.configuration.routing.strict or call.headers.get("x-gomodel-strict") == "1"
    fields = _take(call, dialect, call.body, path)
    if g.policy is None:
        await _route_and_run(g, call, dialect, fields, sink, settle)
        return
    async with await g.policy.admit(call):
        if await g.policy.request(call):
            fields = _take(call, dialect, call.body, path)
        await _route_and_run(g, call, dialect, fields, sink, settle)


def _take(call: Call, dialect: Dialect, body: bytes, path: Mapping[str, str]) -> Fields:
    fields = dialect.read(body, path)
    call.model = fields.model
    call.stream = fields.stream
    call.provider_hint = fields.provider
    return fields


def _full(g: Generation) -> Unavailable:
    if g.closing:
        return _closing()
    return Unavailable(
        f"{g.configuration.server.max_requests} requests are under way (server.max_requests).",
        code="too_many_requests_under_way",
        headers=(("retry-after", "1"),),
    )


def _closing() -> Unavailable:
    return Unavailable("The gateway is shutting down.", code=SHUTTING_DOWN)


def _is_shutdown(error: asyncio.CancelledError) -> bool:
    return error.args == (SHUTTING_DOWN,)


def explain(request_id: str, dialect: Dialect, sink: Sink, error: asyncio.CancelledError) -> None:
    """Tell a caller whose call was cancelled for a shutdown; any other caller has gone."""
    if _is_shutdown(error):
        refuse(request_id, dialect, sink, _closing())


def refuse(request_id: str, dialect: Dialect, sink: Sink, error: GatewayError) -> None:
    """Answer with an error in the caller's dialect, inside the stream if that has begun."""
    if sink.started:
        sink.write(dialect.stream_error(error))
        sink.end()
        return
    headers = [_JSON, ("x-request-id", request_id), *error.headers]
    body = error.body if isinstance(error, UpstreamError) and error.body else dialect.error(error)
    sink.reply(error.status, tuple(headers), body)


async def _route_and_run(
    g: Generation,
    call: Call,
    dialect: Dialect,
    fields: Fields,
    sink: Sink,
    settle: Callable[[LedgerRow], None],
) -> None:
    observers: Sequence[Observer] = ()
    if g.observers:
        made = (make(call) for make in g.observers)
        observers = [observer for observer in made if observer is not None]
    targets: Sequence[Target] | None
    targets = g.routes.recall(call.model, call.provider_hint, call.operation)
    if targets is None:
        targets = await _targets(g, call, dialect)
    turn = None
    references = fields.references
    history = g.histories.get(dialect.name)
    if history is not None:
        await in_task()
        turn = await recall(g, call, history, fields, targets)
        references = [reference for reference in references if reference not in turn.found]
    if references:
        targets = await _owned(g, call, references, targets)
    estimate = g.estimates.get(dialect.name)
    if estimate is not None:
        targets = tuple(target for target in targets if _reached(g, dialect, target))
    if estimate is not None and not targets:
        # nothing is sent, so nothing is entered in the books
        written = fields if turn is None else turn.fields(dialect, fields, native=True)
        body = written.readdress(call.model, ask_usage=False)
        sink.reply(200, (_JSON, ("x-request-id", call.request_id)), estimate(body))
        return
    for router in g.routers:
        await in_task()
        targets = tuple(await router.plan(call, targets))
    if not targets:
        raise Unavailable("No provider is left to serve this model.", code="no_target")
    failure: BaseException | None = None
    try:
        await _run(g, call, dialect, fields, targets, sink, observers, turn, settle)
    except BaseException as error:
        failure = error
        raise
    finally:
        for observer in observers:
            observer.done(call, failure)


async def _targets(g: Generation, call: Call, dialect: Dialect) -> Sequence[Target]:
    """Return who can serve a call; nobody need be able to where the dialect can estimate."""
    await in_task()
    try:
        return await g.routes.find(call.model, call.provider_hint, call.operation)
    except InvalidRequest as error:
        if dialect.name in g.estimates and error.code == "operation_not_supported":
            return ()
        raise


def _reached(g: Generation, dialect: Dialect, target: Target) -> bool:
    return g.lanes.find(g.accounts[target.provider], dialect) is not None


async def _run(
    g: Generation,
    call: Call,
    dialect: Dialect,
    fields: Fields,
    targets: Sequence[Target],
    sink: Sink,
    observers: Sequence[Observer],
    turn: Turn | None,
    settle: Callable[[LedgerRow], None],
) -> None:
    # The same words mean something else each time in a conversation, so no reply to them is kept.
    policy = g.policy
    caching = policy is not None and (turn is None or turn.conversation is None)
    if policy is not None and caching:
        kept = await policy.cached(call, targets[0])
        if kept is not None:
            sink.reply(200, (_JSON, ("x-request-id", call.request_id), ("x-cache", "HIT")), kept)
            return
    row = _row(g, call, targets[0])
    try:
        attempts = Attempts(g, call, dialect, fields, row, sink, observers, turn)
        answer = await attempts.run(targets)
        if answer is not None and policy is not None:
            answer.body = await policy.reply(call, answer.body)
        if answer is not None and turn is not None:
            await turn.keep(answer, row)
        if answer is not None and policy is not None and caching:
            await policy.keep(call, call.target or targets[0], answer.body)
        if row.status == "unknown":
            row.status = "ok"
    except asyncio.CancelledError as error:
        row.status = "cancelled"
        row.error = SHUTTING_DOWN if _is_shutdown(error) else "client_gone"
        raise
    except GatewayError as error:
        row.status = "error"
        row.error = error.code or error.kind
        row.http_status = error.status
        raise
    except BaseException:
        row.status = "error"
        row.error = "internal_error"
        row.http_status = 500
        raise
    finally:
        _complete(row)
        settle(row)
    if answer is not None:
        _hand_over(answer, sink, observers)


def _hand_over(answer: Answer, sink: Sink, observers: Sequence[Observer]) -> None:
    for observer in observers:
        observer.chunk(answer.body)
    sink.reply(answer.status, answer.headers, answer.body)


def _row(g: Generation, call: Call, target: Target) -> LedgerRow:
    return LedgerRow(
        id=call.id,
        request_id=call.request_id,
        started=call.started,
        principal=call.principal.id,
        user_path=call.user_path,
        operation=call.operation,
        dialect=call.dialect,
        model=call.model,
        provider=target.provider,
        type=g.accounts[target.provider].type,
        served_model=target.model,
        stream=call.stream,
        batch=call.batch,
        losses=[],
        attempts=[],
    )


def _complete(row: LedgerRow) -> None:
    row.latency = now() - row.started
    if row.attempts:
        last = row.attempts[-1]
        if row.http_status is None:
            row.http_status = last.http_status
        if last.first_token is not None:
            row.first_token = last.started + last.first_token - row.started


async def _owned(
    g: Generation,
    call: Call,
    references: Sequence[tuple[str, str]],
    targets: Sequence[Target],
) -> Sequence[Target]:
    """Return the targets in whose account the named resources live; foreign ones do not exist.

    Ids the gateway never saw may be an admin's own, made at the vendor directly; for tenants,
    who share the vendor's account, they do not exist.
    """
    await in_task()
    places: set[str] = set()
    for kind, id_ in references:
        resource = await g.owner(kind, id_)
        if resource is None and kind == "file":
            await _refuse_own_file(g, call, id_)
        if resource is None and call.principal.admin:
            continue
        if resource is None or (resource.owner != call.principal.id and not call.principal.admin):
            raise NotFound(
                f"No {kind} with id '{id_}' was found.", code=f"{kind}_not_found", param=kind
            )
        places.add(resource.provider)
    if not places:
        return targets
    there = tuple(target for target in targets if target.provider in places)
    if not there or len(places) > 1:
        raise NotFound(
            f"What this request names lives at {', '.join(sorted(places))}, where the model "
            f"'{call.model}' is not offered.",
            code="resource_elsewhere",
            param="model",
        )
    return there


async def _refuse_own_file(g: Generation, call: Call, id_: str) -> None:
    """Refuse a file that the gateway keeps: no vendor has it under this id."""
    files = g.store.files if g.store is not None else None
    owner = None if call.principal.admin else call.principal.id
    if files is not None and await files.find(id_, owner) is not None:
        raise InvalidRequest(
            f"The file '{id_}' is kept by the gateway, for batches; models cannot read it. Put its "
            "content into the request instead, as base64.",
            code="file_not_at_provider",
            param="file",
        )
