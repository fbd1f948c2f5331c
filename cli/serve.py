"""`x25 serve`: the gateway."""

import gc
import ipaddress
import json
import logging
import os
import signal
import socket
import sys
import threading
from contextlib import AsyncExitStack
from math import ceil
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from fastapi import FastAPI
from rich.logging import RichHandler

from ..api.app import create_app
from ..api.idle import impatient
from ..api.origins import LOOPBACK_HOSTS, KnownHosts, names
from ..graph.settings import Settings
from ..state.errors import ConfigError
from .console import AsJson, Database, err, friendly_errors, settings_for

EXIT_WITH_PARENT = typer.Option("--exit-with-parent", hidden=True, help="Stop when standard input ends.")


def serve(
    host: Annotated[
        str | None, typer.Option(help="Address to listen on [X25_HOST, default 127.0.0.1].")
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="Port to listen on, 0 = any free one [X25_PORT, default 8000].")
    ] = None,
    db: Database = None,
    model: Annotated[
        Path | None, typer.Option(help="Fitted difficulty artifact to serve [X25_MODEL].")
    ] = None,
    models_dir: Annotated[
        str | None, typer.Option(help="Folder with further model files [X25_MODELS_DIR].")
    ] = None,
    routers_dir: Annotated[
        Path | None, typer.Option(help="Folder with router configs [X25_ROUTERS_DIR].")
    ] = None,
    require_key: Annotated[
        bool | None, typer.Option("--require-key/--open", help="Refuse requests without a key.")
    ] = None,
    as_json: AsJson = False,
    exit_with_parent: Annotated[bool, EXIT_WITH_PARENT] = False,
) -> None:
    """Start the gateway. Without any provider key it routes to simulated models and says so."""
    with friendly_errors():
        settings = settings_for(
            db, host=host, port=port, model=model, models_dir=models_dir,
            routers_dir=str(routers_dir) if routers_dir else None, require_key=require_key,
        )  # fmt: skip
        refuse_open_network(settings, asked_open=require_key is False)
        listener = bind(settings)
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        url = f"http://{host}:{listener.getsockname()[1]}"
        _set_up_log(settings)
        if exit_with_parent:
            threading.Thread(target=_stop_at_end_of_input, daemon=True).start()
        _Server(guarded(create_app(settings), settings), settings, url, as_json=as_json).run(
            sockets=[listener]
        )


def refuse_open_network(settings: Settings, *, asked_open: bool) -> None:
    """Refuse to listen beyond this machine without keys, unless `--open` says so.

    Raises
    ------
    ConfigError
        Naming the two ways out.
    """
    if settings.require_key or asked_open or _is_loopback(settings.host):
        return
    raise ConfigError(
        f"{settings.host} can be reached from other machines: add --require-key "
        "(make keys with 'x25 keys create ORG'), or --open to serve everybody"
    )


def guarded(app: FastAPI, settings: Settings) -> FastAPI:
    """Let an application answer to its own names only, where they are known: set, or those of a loopback address."""
    hosts = names(settings.allowed_hosts)
    if not hosts and _is_loopback(settings.host):
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


class _Server(uvicorn.Server):
    """Opens the application itself, so that a wrong setting ends as one sentence; says where it listens."""

    def __init__(self, app: FastAPI, settings: Settings, url: str, *, as_json: bool) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                lifespan="off",
                log_level="warning",
                access_log=False,
                http=impatient(settings.idle_timeout_s),
                timeout_keep_alive=ceil(settings.idle_timeout_s),
                timeout_graceful_shutdown=settings.shutdown_timeout_s,
            )
        )
        self._app = app
        self._opened = AsyncExitStack()
        self._url = url
        self._as_json = as_json

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open the cascade, then listen, then announce the address."""
        await self._opened.enter_async_context(self._app.router.lifespan_context(self._app))
        # What start-up left stays until the end: looking through it for garbage would stop every call under way for
        # a tenth of a second and more, now and again.
        gc.collect()
        gc.freeze()
        await super().startup(sockets)
        if self.should_exit:  # a signal came meanwhile: shutdown will not be called
            await self._opened.aclose()
        elif self._as_json:
            # One line, so that a parent process can read it before the server ends.
            typer.echo(json.dumps({"url": self._url}))
        else:
            err.print(f"x25 gateway on [bold]{self._url}[/bold]  (docs: {self._url}/docs, stop: Ctrl-C)")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Finish the requests under way, then close the cascade."""
        await super().shutdown(sockets)
        await self._opened.aclose()


def _set_up_log(settings: Settings) -> None:
    logging.basicConfig(level=settings.log_level, format="%(message)s", handlers=[RichHandler(console=err)])
    # One line a request of the HTTP client would drown everything else, and carries provider URLs.
    for chatty in ("httpx", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _stop_at_end_of_input() -> None:
    """Wait until the parent's end of the pipe closes, whatever ended it, then stop as on Ctrl-C."""
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)
