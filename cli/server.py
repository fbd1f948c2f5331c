"""How an application is served: its socket, its log, who may reach it, and what is said at its start."""

import asyncio
import gc
import ipaddress
import json
import logging
import os
import signal
import socket
import sys
from contextlib import AsyncExitStack
from math import ceil

import typer
import uvicorn
from fastapi import FastAPI
from rich.logging import RichHandler

from ..api.idle import impatient
from ..api.origins import LOOPBACK_HOSTS, KnownHosts, names
from ..graph.run import CALLS_LOG, Cascade
from ..graph.settings import Settings
from ..state.errors import ConfigError
from .accounts import setup_url
from .console import err
from .json_lines import JsonLines

GARBAGE_THRESHOLDS = (20_000, 20, 20)
"""Objects until the newest are looked through, and how often the older ones are: a call makes thousands that count
their references down by themselves, and by Python's default each call would be looked through eight times."""
SWITCH_S = 0.001
"""How long a thread may keep the interpreter while another waits. SQLite's thread takes it some forty times a call: by
Python's default of 5 ms a busy event loop starved it: at three times the capacity answers took 3.6 s, not 0.6."""

_log = logging.getLogger(__name__)


def refuse_open_network(settings: Settings) -> None:
    """Refuse to listen beyond this machine without a word on keys; say what it means to serve everybody.

    Raises
    ------
    ConfigError
        Naming the two ways out.
    """
    if settings.require_key or is_loopback(settings.host):
        return
    if settings.require_key is None:
        raise ConfigError(
            f"{settings.host} can be reached from other machines: add --require-key "
            "(make keys with 'x25 keys create ORG'), or --open to serve everybody"
        )
    _log.warning("whoever reaches %s makes calls and reads every org without a key (--open)", settings.host)


def guarded(app: FastAPI, settings: Settings) -> FastAPI:
    """Let an application answer to its own names only, where they are known: set, or those of a loopback address."""
    hosts = names(settings.allowed_hosts)
    if not hosts and is_loopback(settings.host):
        hosts = [*LOOPBACK_HOSTS, settings.host]
    if hosts:
        app.add_middleware(KnownHosts, hosts=hosts)
    return app


def bind(settings: Settings) -> socket.socket:
    """Return a socket bound to the settings' address.

    Raises
    ------
    ConfigError
        When the address is taken or does not exist.
    """
    # asyncio turns Nagle's algorithm off only where the protocol is named; with it on a request takes
    # 40 ms longer.
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        raise ConfigError(
            f"cannot listen on {settings.host}:{settings.port}: {error.strerror}; choose another with --port"
        ) from error
    return listener


def url_of(settings: Settings, listener: socket.socket) -> str:
    """Return the address that a socket listens on."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{listener.getsockname()[1]}"


def announce(
    url: str, workers: int = 1, *, as_json: bool, has_pages: bool = False, has_calls: bool = True,
    setup: str | None = None,
) -> None:  # fmt: skip
    """Say where the gateway listens, or its pages alone, and by which link the first account is made."""
    if as_json:
        # One line, so that a parent process can read it before the server ends.
        typer.echo(json.dumps({"url": url} | ({} if setup is None else {"setup_url": setup})))
    else:
        if has_calls:
            many = f", {workers} workers" if workers > 1 else ""
            err.print(f"x25 gateway on [bold]{url}[/bold]  (docs: {url}/docs, stop: Ctrl-C{many})")
        if has_pages:
            err.print(f"terminal on [bold]{url}/terminal/[/bold]")
        if setup is not None:
            err.print(f"no account yet; make the first within an hour, once: {setup}", soft_wrap=True)


class Server(uvicorn.Server):
    """Opens the application itself, so that a wrong setting ends as one sentence; says where it listens."""

    def __init__(
        self,
        app: FastAPI,
        settings: Settings,
        url: str,
        *,
        as_json: bool,
        has_pages: bool,
        has_calls: bool = True,
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                lifespan="off",
                log_level="warning",
                # Without a configuration of its own its lines go where all others do.
                log_config=None if settings.log_format == "json" else uvicorn.config.LOGGING_CONFIG,
                access_log=False,
                ws="websockets-sansio" if has_pages else "none",
                ws_per_message_deflate=False,  # messages are short and many
                http=impatient(settings.idle_timeout_s),
                timeout_keep_alive=ceil(settings.idle_timeout_s),
                timeout_graceful_shutdown=settings.shutdown_timeout_s,
            )
        )
        self._app = app
        self._opened = AsyncExitStack()
        self._url = url
        self._as_json = as_json
        self._has_pages = has_pages
        self._has_calls = has_calls
        self._drain_delay_s = settings.drain_delay_s

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open the cascade, then listen, then announce the address."""
        await self._opened.enter_async_context(self._app.router.lifespan_context(self._app))
        # What start-up left stays until the end: looking through it for garbage would stop every call under way for
        # a tenth of a second and more, now and again.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GARBAGE_THRESHOLDS)
        sys.setswitchinterval(SWITCH_S)
        await super().startup(sockets)
        if self.should_exit:  # a signal came meanwhile: shutdown will not be called
            await self._opened.aclose()
        else:
            setup = await self._setup() if self._has_pages else None
            announce(
                self._url,
                as_json=self._as_json,
                has_pages=self._has_pages,
                has_calls=self._has_calls,
                setup=setup,
            )

    async def _setup(self) -> str | None:
        """Return the link by which the first account is made; None where this machine's owner needs none, or one is."""
        cascade: Cascade = self._app.state.cascade
        store = cascade.services.store
        if cascade.settings.require_key is None or await store.accounts.count():
            return None
        return setup_url(self._url, await store.setups.issue())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Say that no more calls should come, finish the requests under way, then close the cascade."""
        self._app.state.is_draining = True
        await asyncio.sleep(self._drain_delay_s)
        await super().shutdown(sockets)
        await self._opened.aclose()


def set_up_log(settings: Settings) -> None:
    """Send the log where the settings say."""
    if settings.log_format == "json":
        handler: logging.Handler = logging.StreamHandler()
        handler.setFormatter(JsonLines(keeps_text=settings.keeps_text))
    else:
        handler = RichHandler(console=err)
        logging.getLogger(CALLS_LOG).setLevel(logging.WARNING)  # a line a call is for machines
        handler.setFormatter(logging.Formatter("%(message)s"))
    logging.basicConfig(level=settings.log_level, handlers=[handler])
    # One line a request of the HTTP client would drown everything else, and carries provider URLs.
    for chatty in ("httpx", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def is_loopback(host: str) -> bool:
    """Return whether nobody but this machine reaches an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def stop_at_end_of_input() -> None:
    """Wait until the parent's end of the pipe closes, whatever ended it, then stop as on Ctrl-C."""
    while os.read(
        0, 1
    ):  # not sys.stdin: its lock, held here, would crash an interpreter that ends for another reason
        pass
    os.kill(os.getpid(), signal.SIGTERM)
