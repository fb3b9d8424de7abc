"""What an OpenAI-like vendor's refusal says, whatever shape it has.

Seen in the wild: ``{"error": {...}}``, ``{"error": "text"}``, ``{"message": ...}``,
``{"object": "error", "message": ...}``, ``{"detail": ...}`` (a text, an object or FastAPI's list),
``{"errors": [...]}``, ``[{"error": {...}}]``, HTML of a proxy in between, plain text, nothing.
"""

from __future__ import annotations

import re
from html import unescape
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import msgspec

from gomodel_proxy.api import UpstreamError

from .retry_after import retry_after

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gomodel_proxy.api import Headers, Secret

__all__ = ["read_failure"]

_MASK: Final = "***"
_TEXT_LIMIT: Final = 300  # characters shown of a body that is not JSON
_TEXT_READ: Final = 32_768  # bytes looked at for them
_DEPTH: Final = 4  # how far texts are looked for inside each other

_KINDS: Final = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    429: "rate_limit_error",
}
_BROKE: Final = frozenset({"insufficient_quota", "billing_hard_limit_reached"})
_PASSED_ON: Final = frozenset({"retry-after", "retry-after-ms"})
_WORDS: Final = (
    "message",
    "msg",
    "detail",
    "error_description",
    "title",
    "error",
    "errors",
    "fault",
    "faultstring",
)
_TAG: Final = re.compile(r"<(/?)([A-Za-z]*)[^<>]*>")


def read_failure(
    status: int, headers: Headers, body: bytes, secrets: Sequence[Secret] = ()
) -> UpstreamError:
    """Return what the refusal means, with ``body`` in OpenAI's shape where that can be had.

    A body that has an ``error`` object keeps its bytes; any other JSON object gains one and loses
    nothing; an object that is alone in a list stands for the list; all else is dropped for the
    core to render. ``secrets`` are masked in what is shown as text. Never raises.
    """
    body = body.removeprefix(b"\xef\xbb\xbf")
    value = _json(body)
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
        body, value = bytes(msgspec.json.decode(body, type=list[msgspec.Raw])[0]), value[0]
    said = _details(value)
    code, type_ = _code(said.get("code")), _type(said.get("type"))
    message = _masked(_plain(body) if value is None else _message(value, said), secrets)
    wait = retry_after(headers)
    error = UpstreamError(
        message or _bare(status),
        code=_masked(code, secrets) if code else None,
        param=_param(said),
        status=status if 400 <= status <= 599 else 502,
        kind=type_ or _kind(status),
        headers=[pair for pair in headers if _passes(pair[0].lower())],
        retry=_again(status, {code, type_}, wait),
        retry_after=wait,
    )
    if isinstance(value, dict):
        error.body = _with_error(body, error) if said is value else body
    return error


def _json(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return None


def _details(value: Any) -> dict[str, Any]:
    """Return the object that tells about the error: the ``error`` member, or the whole."""
    if isinstance(value, list):
        value = next((item for item in value if isinstance(item, dict)), None)
    if not isinstance(value, dict):
        return {}
    error = value.get("error")
    return error if isinstance(error, dict) else value


def _message(value: Any, said: dict[str, Any]) -> str:
    title, text = _text(said.get("error")), _text(said)
    if title and text and title != text:
        return f"{title}: {text}"
    return title or text or _text(value)


def _text(value: Any, depth: int = 0) -> str:
    """Return the text in a message that may itself be an object or a list."""
    if isinstance(value, str):
        return value.strip()
    if depth < _DEPTH and isinstance(value, dict):
        return next((text for word in _WORDS if (text := _text(value.get(word), depth + 1))), "")
    if depth < _DEPTH and isinstance(value, list):
        return "; ".join(text for item in value[:10] if (text := _text(item, depth + 1)))
    return ""


def _code(code: Any) -> str | None:
    if isinstance(code, bool) or not isinstance(code, str | int | float):
        return None
    return str(code) or None


def _type(type_: Any) -> str | None:
    # {"type": "error", "message": ...} only says again that it is one
    return type_ if isinstance(type_, str) and type_ not in ("", "error") else None


def _param(said: dict[str, Any]) -> str | None:
    param = said.get("param")
    if isinstance(param, str):
        return param or None
    for member in (said.get("detail"), said.get("message")):
        detail = member.get("detail") if isinstance(member, dict) else member
        if isinstance(detail, list) and detail and isinstance(detail[0], dict):
            return _place(detail[0].get("loc"))
    return None


def _place(loc: Any) -> str | None:
    """Return FastAPI's ``["body", "messages", 0, "role"]`` as ``messages[0].role``."""
    if not isinstance(loc, list):
        return None
    steps = loc[1:] if loc and loc[0] == "body" else loc
    place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return place.lstrip(".") or None


def _kind(status: int) -> str:
    if 400 <= status < 500:
        return _KINDS.get(status, "invalid_request_error")
    return "upstream_error"


def _again(status: int, codes: set[str | None], wait: float | None) -> bool:
    """Tell whether the vendor surely did no work: too many requests, or busy and saying when."""
    if status == 429:
        return not codes & _BROKE
    return status == 503 and wait is not None


def _passes(name: str) -> bool:
    return name in _PASSED_ON or name.startswith(("x-ratelimit-", "ratelimit"))


def _bare(status: int) -> str:
    try:
        return f"The provider answered {status} {HTTPStatus(status).phrase} and said no more."
    except ValueError:
        return f"The provider answered with status {status} and said no more."


def _plain(body: bytes) -> str:
    """Return the first words of a body that is not JSON, tags and scripts left out."""
    text = body[:_TEXT_READ].decode(errors="replace")
    if text.lstrip().startswith("<"):
        text = unescape(_untagged(text))
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return text if len(text) <= _TEXT_LIMIT else text[: _TEXT_LIMIT - 1] + "…"


def _untagged(text: str) -> str:
    kept: list[str] = []
    hidden, at = False, 0
    for tag in _TAG.finditer(text):
        if not hidden:
            kept.append(text[at : tag.start()])
        if tag[2].lower() in ("script", "style"):
            hidden = not tag[1]
        at = tag.end()
    if not hidden:
        kept.append(text[at:])
    return " ".join(kept)


def _masked(text: str, secrets: Sequence[Secret]) -> str:
    for secret in secrets:
        if secret:
            text = text.replace(secret.reveal(), _MASK)
    return text


def _with_error(body: bytes, error: UpstreamError) -> bytes:
    """Return the object with an ``error`` object added, all other members' bytes as they were."""
    members = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    shown = {
        "message": error.message,
        "type": error.kind,
        "param": error.param,
        "code": error.code,
    }
    members["error"] = msgspec.Raw(msgspec.json.encode(shown))
    return msgspec.json.encode(members)
