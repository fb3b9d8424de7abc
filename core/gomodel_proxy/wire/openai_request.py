"""Request bodies in OpenAI's dialects: what routing needs of them, all else left as bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Raw

from gomodel_proxy.api import InvalidRequest

from . import json
from .openai_references import find_files

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Request", "missing", "read_model", "read_request", "require"]


class Request:
    """A body read once; `Fields` of every OpenAI dialect.

    ``usage_option`` says whether streams of the operation report usage only when
    ``stream_options.include_usage`` asks for it; ``resources`` are those that members of the
    operation's own name.
    """

    __slots__ = ("_body", "_members", "_resources", "_usage_option", "model", "provider", "stream")

    def __init__(
        self,
        body: bytes,
        members: dict[str, Raw],
        model: str,
        *,
        stream: bool = False,
        usage_option: bool = False,
        resources: Sequence[tuple[str, str]] = (),
    ) -> None:
        self._body = body
        self._members = members
        self._resources = resources
        self._usage_option = usage_option
        self.model = model
        self.stream = stream
        self.provider = _hint(members["provider"]) if "provider" in members else None

    @property
    def references(self) -> Sequence[tuple[str, str]]:
        """``(kind, id)`` of every vendor resource that the body names."""
        return (*self._resources, *find_files(self._body, self._members))

    @property
    def asked_usage(self) -> bool:
        """Whether the stream reports usage without our asking."""
        if not self._usage_option:
            return True
        return _options(self._members).get("include_usage") == json.TRUE

    def readdress(self, model: str, *, ask_usage: bool) -> bytes:
        """Return the body for ``model``; the same object if there is nothing to change."""
        ask = ask_usage and self.stream and not self.asked_usage
        if model == self.model and self.provider is None and not ask:
            return self._body
        members = self._members.copy()
        members["model"] = Raw(json.encode(model))
        if self.provider is not None:
            del members["provider"]
        if ask:
            options = _options(members)
            options["include_usage"] = json.TRUE
            members["stream_options"] = Raw(json.encode(options))
        return json.encode(members)


def read_request(
    body: bytes,
    members: dict[str, Raw],
    *,
    usage_option: bool = False,
    resources: Sequence[tuple[str, str]] = (),
) -> Request:
    """Check the members that every generating operation has; raises `InvalidRequest`."""
    if "stream_options" in members:
        options = members["stream_options"]
        if json.kind(options) not in ("object", "null"):
            raise json.wrong_type("stream_options", "an object", options)
    return Request(
        body,
        members,
        read_model(members),
        stream="stream" in members and json.boolean(members["stream"], "stream"),
        usage_option=usage_option,
        resources=resources,
    )


def read_model(members: dict[str, Raw]) -> str:
    """Return the model asked for; raises `InvalidRequest` if there is none."""
    raw = members.get("model")
    if raw is None:
        raise missing("model")
    model = json.string(raw, "model")
    if not model.strip() or not model.isprintable():
        raise InvalidRequest(
            "'model' must be the name of a model.", code="invalid_value", param="model"
        )
    return model


def require(members: dict[str, Raw], name: str, *kinds: str) -> Raw:
    """Return a member that must be there, as one of ``kinds``; raises `InvalidRequest`."""
    raw = members.get(name)
    if raw is None:
        raise missing(name)
    if json.kind(raw) not in kinds:
        raise json.wrong_type(name, " or ".join(map(json.a, kinds)), raw)
    return raw


def missing(name: str) -> InvalidRequest:
    """Return the refusal of a body that lacks a member."""
    return InvalidRequest(f"'{name}' is missing.", code="missing_required_parameter", param=name)


def _hint(raw: Raw) -> str | None:
    # Only a string is ours: an object of that name is a vendor's own routing option.
    return json.string(raw, "provider") if json.kind(raw) == "string" else None


def _options(members: dict[str, Raw]) -> dict[str, Raw]:
    raw = members.get("stream_options")
    if raw is None or json.kind(raw) == "null":
        return {}
    return json.members(bytes(raw))
