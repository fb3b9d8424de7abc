"""Logs: format, routing, the line per request, and no secret in any of them."""

from __future__ import annotations

import io
import json
import logging
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import structlog

from gomodel_proxy import logs
from gomodel_proxy.api import Attempt, LedgerRow, Secret, Usage
from gomodel_proxy.config.settings import Logs
from gomodel_proxy.logs.requests import line, readable

if TYPE_CHECKING:
    from collections.abc import Iterator

CANARY = 'canary-"1234567890'


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Broken(io.StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def events(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(text) for text in stream.getvalue().splitlines()]


def row(**changes: Any) -> LedgerRow:
    values: dict[str, Any] = {
        "id": "req_1",
        "request_id": "abc",
        "started": 1_700_000_000_000_000,
        "principal": "ann",
        "user_path": "/research",
        "operation": "chat",
        "dialect": "openai.chat",
        "model": "small",
        "provider": "acme",
        "type": "acme",
        "served_model": "small-2",
        "status": "ok",
        "http_status": 200,
        "latency": 1_500_000,
        "first_token": 250_500,
    }
    return LedgerRow(**{**values, **changes})


def attempt(**changes: Any) -> Attempt:
    values: dict[str, Any] = {
        "id": "a",
        "provider": "acme",
        "type": "acme",
        "model": "small",
        "started": 1,
    }
    return Attempt(**{**values, **changes})


# ---------------------------------------------------------------- format and routing


def test_json_where_nobody_watches() -> None:
    stream = io.StringIO()
    logs.setup(Logs(), stream)
    logs.logger().info("upstream.retry", target="acme", attempt=2)
    (event,) = events(stream)
    assert event["event"] == "upstream.retry"
    assert (event["level"], event["target"], event["attempt"]) == ("info", "acme", 2)
    assert event["timestamp"].endswith("Z")


@pytest.mark.parametrize(
    ("form", "stream", "is_json"),
    [
        ("auto", io.StringIO, True),
        ("auto", Terminal, False),
        ("json", Terminal, True),
        ("console", io.StringIO, False),
    ],
)
def test_the_format_follows_setting_and_terminal(form: Any, stream: Any, is_json: bool) -> None:
    out = stream()
    logs.setup(Logs(format=form), out)
    logs.logger().warning("happened")
    logs.RequestLog(Logs(format=form), out).write([row()])
    assert [text.startswith("{") for text in out.getvalue().splitlines()] == [is_json] * 2


def test_the_standard_library_takes_the_same_way() -> None:
    stream = io.StringIO()
    logs.setup(Logs(), stream)
    logging.getLogger("asyncio").warning("slow %s", "callback")
    try:
        raise OSError("disk")
    except OSError:
        logging.getLogger("aiohttp.server").exception("failed")
    slow, failed = events(stream)
    assert (slow["event"], slow["logger"], slow["level"]) == ("slow callback", "asyncio", "warning")
    assert "OSError: disk" in failed["exception"]


def test_the_level_holds_for_all_three() -> None:
    stream = io.StringIO()
    logs.setup(Logs(level="warning"), stream)
    logs.logger().info("quiet")
    logging.getLogger("asyncio").info("quiet")
    logs.RequestLog(Logs(level="warning"), stream).write([row()])
    assert stream.getvalue() == ""
    logs.logger().warning("loud")
    assert len(events(stream)) == 1


def test_a_second_setup_moves_everything_and_doubles_nothing() -> None:
    first, second = io.StringIO(), io.StringIO()
    logger = logs.logger()
    logs.setup(Logs(), first, [CANARY])
    logger.info("one")
    logs.setup(Logs(), second)
    logger.info("two", text=CANARY)
    logging.getLogger("asyncio").warning("three")
    assert [event["event"] for event in events(first)] == ["one"]
    assert [event["event"] for event in events(second)] == ["two", "three"]
    assert events(second)[0]["text"] == "***"


def test_handlers_of_others_stay() -> None:
    theirs = logging.NullHandler()
    logging.getLogger().addHandler(theirs)
    logs.setup(Logs(), io.StringIO())
    logs.setup(Logs(), io.StringIO())
    assert theirs in logging.getLogger().handlers


# ---------------------------------------------------------------- redaction


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_registered_value_is_nowhere(form: Any) -> None:
    stream = io.StringIO()
    logs.setup(Logs(format=form), stream, [Secret(CANARY)])
    log = logs.logger()
    log.info(f"in the event {CANARY}", text=f"a {CANARY} b", deep={"list": [(1, CANARY)]})
    log.info("in an object", thing=ValueError(CANARY))
    try:
        raise ValueError(CANARY)
    except ValueError:
        log.exception("in a traceback")
        logging.getLogger("other").exception("in a foreign traceback of %s", CANARY)
    written = stream.getvalue()
    assert "1234567890" not in written
    assert written.count("***") >= 7


def test_a_value_registered_later_is_masked_from_then_on() -> None:
    stream = io.StringIO()
    logs.setup(Logs(), stream)
    logs.redact_value(Secret("later-secret"), "and-another")
    logs.logger().info("x", a="later-secret", b="and-another")
    assert [events(stream)[0][key] for key in "ab"] == ["***", "***"]


def test_registering_before_setup_does_nothing() -> None:
    before = structlog.get_config()["processors"][:]
    logs.redact_value("some-secret")
    assert structlog.get_config()["processors"] == before


def test_fields_are_masked_by_their_names() -> None:
    stream = io.StringIO()
    logs.setup(Logs(), stream)
    names = (
        "authorization",
        "api_key",
        "x-api-key",
        "Cookie",
        "token",
        "client_secret",
        "PASSWORD",
    )
    logs.logger().info("x", **dict.fromkeys(names, "s"), headers=[("X-Api-Key", "s"), ("a", "s")])
    (event,) = events(stream)
    assert [event[name] for name in names] == ["***"] * len(names)
    assert event["headers"] == [["X-Api-Key", "***"], ["a", "s"]]


def test_names_that_only_sound_like_secrets_are_left_alone() -> None:
    stream = io.StringIO()
    logs.setup(Logs(), stream)
    fields = {"input_tokens": 5, "first_token": 7, "secretary": "Bo", "token_count": "3"}
    logs.logger().info("x", **fields)
    assert fields.items() <= events(stream)[0].items()


def test_an_unknown_bearer_and_a_secret_object_are_masked() -> None:
    stream = io.StringIO()
    logs.setup(Logs(), stream)
    logs.logger().info("x", text="sent Bearer abc.def-ghi to", thing=Secret(CANARY))
    assert events(stream)[0]["text"] == "sent *** to"
    assert events(stream)[0]["thing"] == "Secret('***')"


# ---------------------------------------------------------------- requests


def test_the_line_of_a_request() -> None:
    stream = io.StringIO()
    attempts = [
        attempt(usage=Usage(input=10, output=1), total_cost=1_000_000, status="error"),
        attempt(),
        attempt(usage=Usage(input=10, output=5), total_cost=2_500_000),
    ]
    logs.RequestLog(Logs(), stream).write([row(attempts=attempts, stream=True, losses=["stop"])])
    assert events(stream) == [
        {
            "event": "request",
            "level": "info",
            "timestamp": "2023-11-14T22:13:21.500000Z",
            "id": "req_1",
            "request_id": "abc",
            "principal": "ann",
            "user_path": "/research",
            "operation": "chat",
            "dialect": "openai.chat",
            "model": "small",
            "provider": "acme",
            "served_model": "small-2",
            "stream": True,
            "status": "ok",
            "http_status": 200,
            "error": None,
            "latency_ms": 1500.0,
            "first_token_ms": 250.5,
            "input_tokens": 20,
            "output_tokens": 6,
            "cost_usd": 3.5e-06,
            "losses": ["stop"],
        }
    ]


def test_unknown_tokens_and_prices_are_null_never_zero() -> None:
    entry = line(row(attempts=[attempt(usage=Usage(input=7))], latency=None, first_token=None))
    assert (entry.input_tokens, entry.output_tokens, entry.cost_usd) == (7, None, None)
    assert (entry.latency_ms, entry.first_token_ms) == (None, None)


def test_a_batch_is_one_write() -> None:
    class Counting(io.StringIO):
        writes = 0

        def write(self, text: str) -> int:
            self.writes += 1
            return super().write(text)

    stream = Counting()
    log = logs.RequestLog(Logs(), stream)
    log.write([row(id=str(number)) for number in range(100)])
    assert stream.writes == 1
    assert [event["id"] for event in events(stream)] == [str(number) for number in range(100)]
    log.write([])
    assert stream.writes == 1


def test_a_line_for_people() -> None:
    text = readable(
        line(row(attempts=[attempt(usage=Usage(input=10, output=5), total_cost=2_500_000)]))
    )
    for part in ("200 ok", "chat", "acme/small-2", "1500 ms", "10→5 tokens", "$0.000003", "abc"):
        assert part in text


def test_a_line_for_people_keeps_no_control_characters() -> None:
    text = readable(line(row(served_model="a\x1b[31m\nb", error="x\r\ny")))
    assert "\x1b" not in text
    assert "\n" not in text


def test_secrets_in_request_lines_are_masked() -> None:
    stream = io.StringIO()
    logs.RequestLog(Logs(), stream, [Secret(CANARY)]).write([row(error=f"said {CANARY}")])
    assert events(stream)[0]["error"] == "said ***"


def test_a_log_nobody_reads_stops_nothing() -> None:
    logs.RequestLog(Logs(), Broken()).write([row()])


def test_a_row_of_another_process_makes_the_same_line() -> None:
    copy = msgspec.json.decode(msgspec.json.encode(row()), type=LedgerRow)
    assert line(copy) == line(row())
