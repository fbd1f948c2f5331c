"""The command line: one file a command."""

from typing import Annotated

import typer

from .checkpoints import checkpoints
from .console import show_version
from .demo import demo
from .keys import keys
from .models import models
from .route import route
from .serve import serve
from .verify import verify

app = typer.Typer(
    name="x25",
    help="Routes every LLM call to the cheapest model that meets your quality bar, proves it, and learns from "
    "every call.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def main(
    version: Annotated[
        bool,
        typer.Option("--version", callback=show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    """Hold the options of all commands."""


app.command()(serve)
app.command()(demo)
app.command()(route)
app.command()(verify)
app.command()(models)
app.add_typer(checkpoints, name="checkpoints")
app.add_typer(keys, name="keys")
