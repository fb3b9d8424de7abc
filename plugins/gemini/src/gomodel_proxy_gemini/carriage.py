"""How a body of this dialect travels inside the gateway: with model and stream in it.

The vendor says both in the URL (``models/gemini-2.5-pro:streamGenerateContent``), so its bodies
have neither. The gateway hands over bodies that name the model, so callers' bodies get both put in
front, and providers take them out again. All other bytes stay as they are.
"""

from __future__ import annotations

from gomodel_proxy.wire import json

__all__ = ["load", "unload"]


def _front(model: str) -> bytes:
    return b'{"model":%b,"stream":' % json.encode(model)


def load(body: bytes, model: str, stream: bool, *, without: tuple[str, ...] = ()) -> bytes:
    """Return a vendor's body with model and stream in it, and some members left out."""
    if without:
        members = json.members(body)
        body = json.encode({name: raw for name, raw in members.items() if name not in without})
    rest = body.lstrip()[1:].lstrip()
    comma = b"" if rest.startswith(b"}") else b","
    return b"".join((_front(model), b"true" if stream else b"false", comma, rest))


def unload(body: bytes, model: str) -> bytes:
    """Return a body as the vendor takes it."""
    front = _front(model)
    if body.startswith(front):
        start = len(front) + (4 if body.startswith(b"true", len(front)) else 5)
        return b"{" + body[start:].removeprefix(b",")
    members = json.members(body)
    if "model" not in members and "stream" not in members:
        return body
    kept = {name: raw for name, raw in members.items() if name not in ("model", "stream")}
    return json.encode(kept)
