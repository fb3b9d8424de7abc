"""Bedrock's published types, as botocore ships them: what a request may hold, and what not."""

from __future__ import annotations

import base64
from functools import cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel, Shape
from botocore.validate import ParamValidator


@cache
def input_shape(operation: str) -> Any:
    """Return the type of an operation's parameters."""
    model = ServiceModel(Loader().load_service_model("bedrock-runtime", "service-2"))
    return model.operation_model(operation).input_shape


def faults(body: dict[str, Any], operation: str = "Converse") -> list[str]:
    """Return what is wrong with a body: types, what is missing, and what the types do not know."""
    shape = input_shape(operation)
    params = _typed(body, shape) | {"modelId": "m"}
    found = [*_unknown(params, shape, "body")]
    report = ParamValidator().validate(params, shape)
    if report.has_errors():
        found.append(report.generate_report())
    return found


def _typed(value: Any, shape: Shape) -> Any:
    """Return JSON with its base64 as the bytes that botocore would write so."""
    if shape.type_name == "blob" and isinstance(value, str):
        return base64.b64decode(value, validate=True)
    if shape.type_name == "structure" and isinstance(value, dict) and not _is_document(shape):
        return {
            name: _typed(member, shape.members[name]) if name in shape.members else member
            for name, member in value.items()
        }
    if shape.type_name == "list" and isinstance(value, list):
        return [_typed(element, shape.member) for element in value]
    return value


def _is_document(shape: Any) -> bool:
    return bool(getattr(shape, "is_document_type", False))


def _unknown(value: Any, shape: Any, at: str) -> list[str]:
    if _is_document(shape):
        return []
    found: list[str] = []
    if shape.type_name == "structure" and isinstance(value, dict):
        if getattr(shape, "is_tagged_union", False) and len(value) != 1:
            found.append(f"{at}: one of a union, not {sorted(value)}")
        for name, member in value.items():
            if name in shape.members:
                found += _unknown(member, shape.members[name], f"{at}.{name}")
            else:
                found.append(f"{at}.{name}: unknown")
    elif shape.type_name == "list" and isinstance(value, list):
        for number, element in enumerate(value):
            found += _unknown(element, shape.member, f"{at}[{number}]")
    elif shape.type_name == "string" and shape.enum and value not in shape.enum:
        found.append(f"{at}: {value!r} is none of {shape.enum}")
    return found
