"""The process's logging: structlog and the standard library through one chain to one stream."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any, TextIO

import msgspec
import structlog

from .redaction import Values, mask_fields, registered

if TYPE_CHECKING:
    from collections.abc import Iterable

    from structlog.typing import Processor

    from gomodel_proxy.api import Secret
    from gomodel_proxy.config.settings import Logs


def logger(settings: Logs | None = None, secrets: Iterable[Secret | str] = ()) -> Any:
    """Return the gateway's logger.

    It follows the process's structlog settings. Where an embedding application has made none, it
    has a chain of its own by ``settings``: structlog's default would print local variables with
    every traceback, and what they hold.
    """
    if settings is None or structlog.is_configured():
        return structlog.get_logger("gomodel_proxy")
    values = Values()
    values.add(secrets)
    shared, rendering = _chain(settings, sys.stderr, values)
    return structlog.wrap_logger(
        structlog.WriteLogger(sys.stderr),
        processors=[*shared, *rendering],
        wrapper_class=structlog.make_filtering_bound_logger(_level(settings)),
    )


def setup(
    settings: Logs, stream: TextIO | None = None, secrets: Iterable[Secret | str] = ()
) -> None:
    """Set up logging for the process, to ``stream`` or standard error, ``secrets`` masked.

    For the command only: an embedding application keeps its own. Calling it again changes
    format, level and stream, and forgets no secret.
    """
    stream = sys.stderr if stream is None else stream
    level = _level(settings)
    values = registered()
    values.add(secrets)
    shared, rendering = _chain(settings, stream, values)
    structlog.configure(
        processors=[*shared, *rendering],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=False,  # a second `setup` reaches loggers already in use
    )
    _route_standard_library(stream, level, shared, rendering)


def _level(settings: Logs) -> int:
    return logging.getLevelNamesMapping()[settings.level.upper()]


def _chain(
    settings: Logs, stream: TextIO, values: Values
) -> tuple[list[Processor], list[Processor]]:
    """Return what makes an event complete, and what makes it a line with nothing secret in it."""
    people = for_people(settings, stream)
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.StackInfoRenderer(),
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if people else "iso", utc=not people),
    ]
    rendering: list[Processor] = [
        structlog.processors.format_exc_info,
        mask_fields,
        _console(stream) if people else _json,
        values,
    ]
    return shared, rendering


def for_people(settings: Logs, stream: TextIO) -> bool:
    """Return whether lines are to be readable rather than JSON."""
    return settings.format == "console" or (settings.format == "auto" and stream.isatty())


class _Handler(logging.StreamHandler[TextIO]):
    """Ours among the root logger's handlers, so that a second `setup` replaces the first."""


def _route_standard_library(
    stream: TextIO, level: int, shared: list[Processor], rendering: list[Processor]
) -> None:
    handler = _Handler(stream)
    strip = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[strip, *rendering],
        )
    )
    root = logging.getLogger()
    root.handlers = [one for one in root.handlers if not isinstance(one, _Handler)] + [handler]
    root.setLevel(level)


def _json(logger: Any, method: str, event: Any) -> str:
    first = {key: event.pop(key) for key in ("timestamp", "level", "event") if key in event}
    return msgspec.json.encode({**first, **event}, enc_hook=repr).decode()


def _console(stream: TextIO) -> Processor:
    return structlog.dev.ConsoleRenderer(
        colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback
    )
