"""The command line: one file a command."""

from typing import Annotated

import typer

from .accounts import accounts
from .advise import advise
from .bound import bound
from .chaos import chaos
from .checkpoints import checkpoints
from .console import show_version
from .demo import demo
from .evaluate import evaluate
from .history import history
from .holdout import eval_model_holdout
from .improve import improve
from .judge import judge
from .keys import keys
from .label import label
from .langsmith import langsmith
from .memory import memory
from .models import models
from .ope import ope
from .orgs import orgs
from .replay import replay
from .route import route
from .serve import serve
from .sweep import sweep_thresholds
from .terminal import terminal
from .train import train
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
app.command()(terminal)
app.command()(demo)
app.command()(route)
app.command()(verify)
app.command()(judge)
app.command()(advise)
app.command()(label)
app.command()(bound)
app.command()(chaos)
app.command()(train)
app.command("train-irt", hidden=True)(train)
app.command()(sweep_thresholds)
app.command()(eval_model_holdout)
app.command()(evaluate)
app.command()(replay)
app.command()(ope)
app.add_typer(models, name="models")
app.add_typer(checkpoints, name="checkpoints")
app.add_typer(keys, name="keys")
app.add_typer(accounts, name="accounts")
app.add_typer(orgs, name="orgs")
app.add_typer(history, name="history")
app.add_typer(langsmith, name="langsmith")
app.add_typer(improve, name="improve")
app.add_typer(memory, name="memory")
