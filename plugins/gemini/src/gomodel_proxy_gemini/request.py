"""A caller's body, decoded once: what routing needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gomodel_proxy.api import InvalidRequest
from gomodel_proxy.wire import json

from .carriage import load

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from msgspec import Raw

__all__ = [
    "Request",
    "check_address",
    "check_contents",
    "full_name",
    "hint",
    "references",
    "served_at",
]

_CACHE: Final = ("cachedContent", "cached_content")
_FILE: Final = b"/files/"
_VERSIONS: Final = ("v1beta", "v1", "v1alpha")


def served_at(methods: str) -> tuple[str, ...]:
    """Return where methods are called, in every version that the SDKs call."""
    return tuple(f"/{version}/models/{{model:.+}}:{{method:{methods}}}" for version in _VERSIONS)


def full_name(model: str) -> str:
    """Return a model's name as the vendor writes it: with the collection that it is in."""
    return model if model.startswith(("models/", "tunedModels/")) else f"models/{model}"


class Request:
    """One request for a generation; `Fields`. What a provider is sent has no path to it."""

    __slots__ = ("_body", "_without", "asked_usage", "model", "provider", "references", "stream")

    def __init__(
        self,
        body: bytes,
        members: Mapping[str, Raw],
        model: str,
        stream: bool,
        references: Sequence[tuple[str, str]],
    ) -> None:
        self._body = body
        self.model = model
        self.stream = stream
        self.provider = hint(members)
        self.references = references
        self.asked_usage = True
        without = ["provider"] if self.provider is not None else []
        self._without = (*without, *(name for name in ("model", "stream") if name in members))

    def readdress(self, model: str, *, ask_usage: bool) -> bytes:
        """Return the body for ``model``, which it then names; see `carriage`."""
        return load(self._body, model, self.stream, without=self._without)


def hint(members: Mapping[str, Raw]) -> str | None:
    """Return the caller's routing hint: a ``provider`` member, if it is a string."""
    raw = members.get("provider", json.NULL)
    return json.string(raw, "provider") if json.kind(raw) == "string" else None


def check_address(members: Mapping[str, Raw], model: str) -> None:
    """Refuse a body that addresses another model than its path, or asks for a stream."""
    if "stream" in members:
        raise InvalidRequest(
            "'stream' is no member of this dialect; call :streamGenerateContent instead.",
            code="unknown_member",
            param="stream",
        )
    if "model" in members:
        named = json.string(members["model"], "model")
        if named.removeprefix("models/") != model:
            raise InvalidRequest(
                f"The path names the model '{model}', the body names '{named}'.",
                code="contradiction",
                param="model",
            )


def check_contents(members: Mapping[str, Raw]) -> None:
    """Refuse a request for a generation that has nothing to answer."""
    contents = members.get("contents", json.NULL)
    if json.kind(contents) not in ("array", "object") or json.is_empty(contents):
        raise InvalidRequest("'contents' is missing.", code="missing_parameter", param="contents")


def references(body: bytes, members: Mapping[str, Raw]) -> tuple[tuple[str, str], ...]:
    """Return what a body names of the vendor's keeping: cached contents and files."""
    found = [
        ("cached_content", json.string(members[name], name)) for name in _CACHE if name in members
    ]
    if _FILE in body.replace(b"\\/", b"/"):
        found += [("file", id_) for id_ in _files(json.loads(bytes(members["contents"])))]
    return tuple(dict.fromkeys(found))


def _files(value: Any) -> Iterator[str]:
    """Yield the names of files (``files/abc``) in file parts, at any depth."""
    if isinstance(value, list):
        for one in value:
            yield from _files(one)
    elif isinstance(value, dict):
        for name, one in value.items():
            if name in ("fileUri", "file_uri") and isinstance(one, str):
                head, slash, tail = one.partition(_FILE.decode())
                if slash and head.startswith("https://generativelanguage.googleapis.com"):
                    yield f"files/{tail}"
            else:
                yield from _files(one)
