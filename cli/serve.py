"""`x25 serve`: the gateway."""

import logging
import socket
import threading
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer
from fastapi import FastAPI

from ..api.app import create_app
from ..graph.settings import Settings
from ..terminal.mounting import mount, say_where
from .console import AsJson, Database, friendly_errors, settings_for
from .server import (
    Server,
    announce,
    bind,
    guarded,
    refuse_open_network,
    set_up_log,
    stop_at_end_of_input,
    url_of,
)
from .workers import serve_by_workers

_log = logging.getLogger(__name__)

NOT_HERE = "several workers serve no pages, as a page lives in one process: 'x25 terminal' serves them on another port"
SOCKET = typer.Option("--socket", hidden=True, help="Number of an open socket to serve: a worker's.")
EXIT_WITH_PARENT = typer.Option("--exit-with-parent", hidden=True, help="Stop when standard input ends.")


Host = Annotated[str | None, typer.Option(help="Address to listen on [X25_HOST, default 127.0.0.1].")]
Port = Annotated[
    int | None, typer.Option(help="Port to listen on, 0 = any free one [X25_PORT, default 8000].")
]
HowMany = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=256,
        help="Processes that serve the port together, on one store, about one a processor core; one that dies is "
        "replaced [X25_WORKERS, default 1].",
    ),
]
Artifact = Annotated[Path | None, typer.Option(help="Fitted difficulty artifact to serve [X25_MODEL].")]
ModelsDir = Annotated[str | None, typer.Option(help="Folder with further model files [X25_MODELS_DIR].")]
RoutersDir = Annotated[Path | None, typer.Option(help="Folder with router configs [X25_ROUTERS_DIR].")]
RequireKey = Annotated[
    bool | None,
    typer.Option(
        "--require-key/--open",
        help="Refuse requests without a key, or serve everybody; without either only this machine is served without "
        "one [X25_REQUIRE_KEY].",
    ),
]


def serve(
    host: Host = None,
    port: Port = None,
    workers: HowMany = None,
    db: Database = None,
    model: Artifact = None,
    models_dir: ModelsDir = None,
    routers_dir: RoutersDir = None,
    require_key: RequireKey = None,
    as_json: AsJson = False,
    exit_with_parent: Annotated[bool, EXIT_WITH_PARENT] = False,
    given_socket: Annotated[int | None, SOCKET] = None,
) -> None:
    """Start the gateway. Without any provider key it routes to simulated models and says so.

    On SIGTERM or Ctrl-C it takes no more calls and ends once those under way are answered (X25_SHUTDOWN_TIMEOUT_S).
    More calls than it can serve are refused with 503 and Retry-After (X25_MAX_QUEUE_MS, X25_MAX_CALLS_IN_FLIGHT).
    """
    with friendly_errors():
        settings = settings_for(
            db, host=host, port=port, workers=workers, model=model, models_dir=models_dir,
            routers_dir=str(routers_dir) if routers_dir else None, require_key=require_key,
        )  # fmt: skip
        set_up_log(settings)
        if given_socket is None:
            refuse_open_network(settings)
        listener = bind(settings) if given_socket is None else socket.socket(fileno=given_socket)
        if exit_with_parent:
            threading.Thread(target=stop_at_end_of_input, daemon=True).start()
        _listen(settings, listener, as_json=as_json)


def _listen(settings: Settings, listener: socket.socket, *, as_json: bool) -> None:
    url = url_of(settings, listener)
    if settings.workers > 1:
        serve_by_workers(settings, listener, lambda: announce(url, settings.workers, as_json=as_json))
        return
    app = create_app(settings)
    has_pages = with_terminal(app, settings)
    Server(guarded(app, settings), settings, url, as_json=as_json, has_pages=has_pages).run(
        sockets=[listener]
    )


def with_terminal(app: FastAPI, settings: Settings) -> bool:
    """Put the pages on the application where they are installed and wanted; return whether it has them."""
    if not settings.terminal or find_spec("nicegui") is None or find_spec("argon2") is None:
        return False
    if settings.metrics_dir:
        # A page lives in the process that made it, and workers share a socket: its next message may reach another.
        if settings.worker == 0:
            _log.warning(NOT_HERE)
        say_where(app, NOT_HERE)
        return False
    mount(app)
    return True
