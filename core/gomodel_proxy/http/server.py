"""The command's own server: the front protocol before aiohttp, signals, a graceful end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
from typing import TYPE_CHECKING, Any, Final

import msgspec
from aiohttp import web

from gomodel_proxy.api import ConfigError

from .app import application
from .front import Front
from .gateway import Gateway
from .lobby import Lobby
from .loops import factory, name
from .routes import WATCH
from .workers import lifeline, supervise, worker_port

if TYPE_CHECKING:
    from collections.abc import Callable

    from gomodel_proxy.config import Configuration
    from gomodel_proxy.plugins import Plugins

__all__ = ["Server", "run", "serve"]

_BACKLOG: Final = 4096
_LOOK: Final = 0.02  # seconds between two looks at what is still under way
_LAST_WORDS: Final = 1.0  # seconds for what is cut off to say so
_CYCLES: Final = 10_000  # objects that were made and not freed until cycles are looked for


class Server:
    """One worker: a gateway, its application, and the listening socket."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._settings = gateway.configuration.server
        self._runner: web.AppRunner | None = None
        self._server: asyncio.Server | None = None
        self._lobby: Lobby | None = None

    async def start(self, *, shared: bool = False) -> None:
        """Listen; raises `ConfigError` if the address cannot be had."""
        gateway = self._gateway
        app = application(lambda: gateway.generation, gateway)
        self._runner = web.AppRunner(
            app,
            access_log=None,
            handler_cancellation=True,
            # no body is taken coded, and a broken one would be an error in the log
            auto_decompress=False,
            keepalive_timeout=self._settings.idle_timeout,
            # the front has judged heads already; aiohttp's own refusals quote what they refuse
            max_line_size=self._settings.head_limit,
            max_field_size=self._settings.head_limit,
        )
        await self._runner.setup()
        inner = self._runner.server
        assert inner is not None  # noqa: S101
        lobby = self._lobby = Lobby(gateway.generation, inner)
        try:
            self._server = await asyncio.get_running_loop().create_server(
                lambda: Front(lobby),
                self._settings.host,
                self._settings.port,
                backlog=_BACKLOG,
                reuse_address=True,
                reuse_port=shared or None,
            )
        except OSError as error:
            raise ConfigError(
                f"Cannot listen on {self._settings.host}:{self._settings.port} "
                f"(server.host, server.port): {error.strerror or error}."
            ) from None
        lobby.start()

    @property
    def address(self) -> str:
        """Where it listens, as a URL."""
        assert self._server is not None  # noqa: S101
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def stop(self, grace: float, hurry: asyncio.Event) -> None:
        """Take no new requests, let those under way end within ``grace`` seconds, then cut off."""
        lobby, runner = self._lobby, self._runner
        if self._server is not None:
            self._server.close()
        if lobby is None or runner is None:
            return
        self._gateway.generation.closing = True
        lobby.close_idle()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace):
                await _drained(lobby, hurry)
        lobby.cut_off()
        runner.app[WATCH].cut_off()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS):
                await _drained(lobby)
        lobby.abort()
        lobby.stop()
        await runner.cleanup()


async def _drained(lobby: Lobby, hurry: asyncio.Event | None = None) -> None:
    """Return when nothing is under way any more, lines of batches included, or in a hurry."""
    while (lobby.busy or lobby.generation.running) and not (hurry is not None and hurry.is_set()):
        await asyncio.sleep(_LOOK)
        lobby.close_idle()


async def serve(
    gateway: Gateway, *, shared: bool = False, ready: Callable[[str], None] | None = None
) -> None:
    """Serve until SIGTERM or SIGINT; a second one stops at once."""
    loop = asyncio.get_running_loop()
    stop, hurry = asyncio.Event(), asyncio.Event()

    def asked(*_: Any) -> None:
        (hurry if stop.is_set() else stop).set()

    with _signals(loop, asked):
        async with gateway:
            server = Server(gateway)
            await server.start(shared=shared)
            if shared:
                lifeline(asked)
            if ready is not None:
                ready(server.address)
            await stop.wait()
            gateway.generation.log.info("server.stopping")
            await server.stop(gateway.configuration.server.shutdown_grace, hurry)


@contextlib.contextmanager
def _signals(loop: asyncio.AbstractEventLoop, asked: Callable[..., None]) -> Any:
    names = (signal.SIGTERM, signal.SIGINT)
    try:
        for name in names:
            loop.add_signal_handler(name, asked)
    except NotImplementedError:  # Windows
        for name in names:
            signal.signal(name, lambda *_: loop.call_soon_threadsafe(asked))
    try:
        yield
    finally:
        with contextlib.suppress(NotImplementedError):
            for name in names:
                loop.remove_signal_handler(name)


def run(configuration: Configuration, plugins: Plugins) -> int:
    """Serve a configuration in this process, or in as many workers as it asks for."""
    port = worker_port()
    if configuration.server.workers > 1 and port is None:
        return supervise(configuration)
    if port is not None:
        server = msgspec.structs.replace(configuration.server, port=port)
        configuration = msgspec.structs.replace(configuration, server=server)
    gateway = Gateway(configuration, plugins=plugins)
    # Calls leave no cycles behind (a test holds that), and each of the ledger's rows lives for a
    # second: with Python's own settings, looking for cycles takes 4 % of the time and finds none.
    gc.set_threshold(_CYCLES)
    greet = _Greeting(gateway)

    def ready(address: str) -> None:
        greet(address)
        gc.freeze()  # what the start has made stays, so nobody need look through it again

    with asyncio.Runner(loop_factory=factory(configuration.server.loop)) as runner:
        runner.run(serve(gateway, shared=port is not None, ready=ready))
    return 0


class _Greeting:
    """Says where the gateway listens, and what is worth knowing about it."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def __call__(self, address: str) -> None:
        g, c = self._gateway.generation, self._gateway.configuration
        store = c.store.kind.name if c.store else None
        g.log.info(
            "server.listening",
            address=address,
            providers=list(c.providers),
            store=store,
            loop=name(asyncio.get_running_loop()),
        )
        if g.door.open:
            g.log.warning("auth.open", hint="anybody may call; set auth.master_key to change that")
