"""``GET /openapi.json``: the API, described from its routes and structs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

from gomodel_proxy import __version__

from .areas import routes
from .routes import GENERATION, Route, answer, caller
from .schemas import BODIES, ErrorEnvelope

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiohttp import web

    from gomodel_proxy.api import Dialect

__all__ = ["ROUTES", "describe"]

_REGEX: Final = re.compile(r"\{(\w+):[^{}]*\}")
_NAME: Final = re.compile(r"\{(\w+)\}")
_REF: Final = "#/components/schemas/{name}"
_JSON: Final = "application/json"


async def show(request: web.Request) -> web.Response:
    """Answer with the description."""
    await caller(request)
    generation = request.app[GENERATION]()
    dialects = generation.dialects.values()
    return answer(describe(routes(dialects), dialects))


def describe(routes: Iterable[Route], dialects: Iterable[Dialect]) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of these routes and dialects."""
    routes, dialects = list(routes), list(dialects)
    bodies = [BODIES[dialect.name] for dialect in dialects if dialect.name in BODIES]
    bodies += [route.body for route in routes if route.body is not None]
    types = [*(route.reply for route in routes), *bodies, ErrorEnvelope, dict[str, Any]]
    schemas, components = msgspec.json.schema_components(types, ref_template=_REF)
    by_type = dict(zip(map(repr, types), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _get(route, by_type)
    for dialect in dialects:
        body = by_type.get(repr(BODIES.get(dialect.name)), {"type": "object"})
        for number, pattern in enumerate(dialect.paths):
            path = _REGEX.sub(r"{\1}", pattern)
            paths.setdefault(path, {})["post"] = {
                **_post(dialect, number, body),
                "parameters": [_segment(name) for name in _NAME.findall(path)],
            }
    return {
        "openapi": "3.1.0",
        "info": {"title": "gomodel-proxy", "version": __version__},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
            },
        },
        "security": [{"bearer": []}, {"key": []}],
    }


def _content(schema: dict[str, Any]) -> dict[str, Any]:
    return {_JSON: {"schema": schema}}


def _contents(route: Route, schemas: dict[str, Any]) -> dict[str, Any]:
    """Return the forms of a reply; only JSON has a schema."""
    return {
        type_: {"schema": schemas[repr(route.reply)]} if type_ == _JSON else {}
        for type_ in route.gives
    }


def _errors() -> dict[str, Any]:
    envelope = {"$ref": _REF.format(name=ErrorEnvelope.__name__)}
    return {"default": {"description": "An error", "content": _content(envelope)}}


def _get(route: Route, schemas: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": route.summary,
        "operationId": route.id or route.handler.__name__,
        "parameters": [_parameter(parameter) for parameter in route.parameters],
        "responses": {
            "200": {"description": "OK", "content": _contents(route, schemas)},
            **_errors(),
        },
    }
    if route.body is not None:
        body = {route.takes: {"schema": schemas[repr(route.body)]}}
        operation["requestBody"] = {"required": True, "content": body}
    if route.open:
        operation["security"] = []
    return operation


def _parameter(parameter: Any) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "integer" if parameter.type is int else "string"}
    if parameter.minimum is not None:
        schema["minimum"] = parameter.minimum
    if parameter.maximum is not None:
        schema["maximum"] = parameter.maximum
    return {
        "name": parameter.name,
        "in": parameter.where,
        "required": parameter.where == "path",
        "description": parameter.description,
        "schema": schema,
    }


def _segment(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _post(dialect: Dialect, number: int, body: dict[str, Any]) -> dict[str, Any]:
    reply = {
        "description": "The provider's reply, in this dialect; a stream if one was asked for",
        "content": {_JSON: {"schema": {"type": "object"}}, "text/event-stream": {}},
    }
    return {
        "summary": f"Ask for {dialect.operation} in the dialect {dialect.name}",
        "operationId": "_".join([*dialect.name.split("."), *([str(number)] if number else [])]),
        "requestBody": {"required": True, "content": _content(body)},
        "responses": {"200": reply, **_errors()},
    }


ROUTES = (Route("GET", "/openapi.json", show, "Describe this API", dict[str, Any]),)
