"""`x25 terminal`: the pages alone, beside gateways on the same store."""

import threading
from importlib.util import find_spec
from typing import Annotated

import typer

from ..state.errors import ConfigError
from ..terminal.alone import create_pages
from .console import AsJson, Database, friendly_errors, settings_for
from .serve import EXIT_WITH_PARENT, Artifact, Host, ModelsDir, RequireKey, RoutersDir
from .server import Server, bind, guarded, refuse_open_network, set_up_log, stop_at_end_of_input, url_of

PORT = 8001


def terminal(
    host: Host = None,
    port: Annotated[int, typer.Option(help="Port to listen on, 0 = any free one.")] = PORT,
    db: Database = None,
    model: Artifact = None,
    models_dir: ModelsDir = None,
    routers_dir: RoutersDir = None,
    require_key: RequireKey = None,
    as_json: AsJson = False,
    exit_with_parent: Annotated[bool, EXIT_WITH_PARENT] = False,
) -> None:
    """Serve the manager terminal alone, over the store of gateways that run elsewhere or with several workers.

    Takes the settings of 'x25 serve'. Who may look is said by accounts; without any, as there.
    """
    with friendly_errors():
        if find_spec("nicegui") is None or find_spec("argon2") is None:
            raise ConfigError("the pages need an extra: pip install 'x25[terminal]'")
        settings = settings_for(
            db, host=host, port=port, workers=1, model=model, models_dir=models_dir,
            routers_dir=str(routers_dir) if routers_dir else None, require_key=require_key, auto_train=False,
        )  # fmt: skip
        set_up_log(settings)
        refuse_open_network(settings)
        listener = bind(settings)
        if exit_with_parent:
            threading.Thread(target=stop_at_end_of_input, daemon=True).start()
        app = guarded(create_pages(settings), settings)
        url = url_of(settings, listener)
        server = Server(app, settings, url, as_json=as_json, has_pages=True, has_calls=False)
        server.run(sockets=[listener])
