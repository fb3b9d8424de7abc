"""Logs: events through structlog, one line per request past it, no secret in either."""

from .redaction import redact_value
from .requests import RequestLog
from .setup import logger, setup

__all__ = ["RequestLog", "logger", "redact_value", "setup"]
