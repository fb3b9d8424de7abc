"""The sandbox: from a request to a reply, faults of content included."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import msgspec

from gomodel_proxy.api import GatewayError, InvalidRequest

from . import chat, completions, embeddings, faults, moderations, replies, responses, spoiling
from .faults import Faults
from .models import MODELS

if TYPE_CHECKING:
    from collections.abc import Callable

    from .replies import Prompt, Reply, Request

__all__ = ["Sandbox", "listing"]

_OPERATIONS: Final[dict[str, tuple[str, Callable[[Prompt], Reply]]]] = {
    "/v1/chat/completions": ("chat", chat.reply),
    "/v1/responses": ("chat", responses.reply),
    "/v1/completions": ("completions", completions.reply),
    "/v1/embeddings": ("embeddings", embeddings.reply),
    "/v1/moderations": ("moderations", moderations.reply),
}
_MOST_COUNTED: Final = 10_000  # names that ``times`` is remembered for
_CREATED: Final = 1_700_000_000
_DEFAULTS: Final = {"moderations": "sandbox-moderation"}  # the one operation without a must


def listing() -> dict[str, Any]:
    """Return the list of models."""
    return {"object": "list", "data": [_listed(name) for name in MODELS]}


class Sandbox:
    """Answers requests, and remembers how often each fault was due."""

    def __init__(self, faults: str = "") -> None:
        self._faults = faults
        self._seen: Counter[tuple[str, ...]] = Counter()

    def reset(self) -> None:
        """Forget how often faults were due."""
        self._seen.clear()

    def answer(self, request: Request) -> Reply:
        """Return the reply to a request; never raises."""
        try:
            return self._get(request) if request.method == "GET" else self._post(request)
        except GatewayError as problem:
            return replies.error(problem)
        except RecursionError:  # shallow enough to be read, too deep for what comes after
            return replies.error(InvalidRequest("The body of your request is nested too deeply."))

    def _get(self, request: Request) -> Reply:
        if request.path == "/health":
            return replies.json({"status": "ok"})
        if request.path == "/v1/models":
            return self._models(request)
        if request.path.startswith("/v1/models/"):
            name = request.path.removeprefix("/v1/models/")
            if faults.separate(name)[0] in MODELS:
                return replies.json(_listed(name))
            raise _unknown(name)
        raise _nowhere(request)

    def _models(self, request: Request) -> Reply:
        texts = (self._faults, request.headers.get(faults.HEADER, ""))
        named = faults.parse(*texts)
        if not named.models:
            return replies.json(listing())
        due = self._due(named, texts)
        return spoiling.spoil(request, due, lambda: replies.json(listing()))

    def _post(self, request: Request) -> Reply:
        if request.method != "POST" or request.path not in _OPERATIONS:
            raise _nowhere(request)
        operation, reply = _OPERATIONS[request.path]
        members = _members(request.body)
        name = members.setdefault("model", _DEFAULTS.get(operation))
        if not isinstance(name, str):
            raise InvalidRequest("you must provide a model parameter", param="model")
        model, suffix = faults.separate(name)
        if model not in MODELS:
            raise _unknown(name)
        if operation not in MODELS[model]:
            raise InvalidRequest(f"The model `{name}` does not do {operation}.", param="model")
        texts = (self._faults, request.headers.get(faults.HEADER, ""), suffix)
        due = self._due(faults.parse(*texts), (model, *texts))
        return spoiling.spoil(request, due, lambda: reply(replies.Prompt(members, model, due)))

    def _due(self, named: Faults, key: tuple[str, ...]) -> Faults:
        """Return the faults that are due this time: none once their ``times`` are over."""
        if named.times is None:
            return named
        if len(self._seen) >= _MOST_COUNTED and key not in self._seen:
            del self._seen[next(iter(self._seen))]
        self._seen[key] += 1
        return named if self._seen[key] <= named.times else Faults()


def _members(body: bytes) -> dict[str, Any]:
    try:
        members = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise InvalidRequest("We could not parse the JSON body of your request.") from None
    if not isinstance(members, dict):
        raise InvalidRequest("The body of your request is not a JSON object.")
    return members


def _listed(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": _CREATED, "owned_by": "sandbox"}


def _unknown(name: str) -> GatewayError:
    message = f"The model `{name}` does not exist or you do not have access to it."
    return InvalidRequest(message, status=404, code="model_not_found")


def _nowhere(request: Request) -> GatewayError:
    known = request.path in _OPERATIONS or request.path == "/v1/models"
    message = f"Unknown request URL: {request.method} {request.path}."
    return InvalidRequest(message, status=405 if known else 404, code="unknown_url")
