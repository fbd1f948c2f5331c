"""`x25 route`: one prompt, through a running gateway or in this process."""

import asyncio
import sys
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from ..client import PRESETS, X25, Preset, X25Response
from ..graph.run import open_cascade
from ..graph.settings import load_settings
from ..state.errors import InvalidRequest
from .console import AsJson, friendly_errors, out, print_json


def route(
    prompt: Annotated[str, typer.Argument(help="The text to route; - reads standard input.")],
    org: Annotated[str, typer.Option(help="Whose learning the call belongs to.")] = "default",
    hint: Annotated[
        str | None,
        typer.Option(help="Task type: summary, code, classification, extraction, qa, reasoning, creative."),
    ] = None,
    optimize_for: Annotated[Preset, typer.Option(help="What matters most.")] = "balanced",
    max_cost: Annotated[float | None, typer.Option(help="Most the call may cost, US dollars.")] = None,
    max_tier: Annotated[str | None, typer.Option(help="Highest tier allowed: slm, mid, frontier.")] = None,
    router: Annotated[str, typer.Option(help="Name of a router config.")] = "auto",
    gateway: Annotated[str, typer.Option(help="URL of the gateway.")] = "http://localhost:8000",
    api_key: Annotated[str | None, typer.Option(envvar="X25_API_KEY", help="API key of the gateway.")] = None,
    local: Annotated[bool, typer.Option("--local", help="Route in this process, without a gateway.")] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show the candidates and why one was chosen.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Route one prompt and show the answer with its receipt."""
    text = sys.stdin.read() if prompt == "-" else prompt
    limits = {"max_cost_per_call_usd": max_cost, "max_tier": max_tier}
    wishes = {
        "org": org,
        "optimize_for": PRESETS[optimize_for],
        "policy": {name: limit for name, limit in limits.items() if limit is not None},
        "router": router,
    }
    with friendly_errors():
        if local:
            reply = X25Response.from_json(asyncio.run(_route_here({"prompt": text, "hint": hint, **wishes})))
        else:
            reply = _route_there(text, hint, gateway_url=gateway, api_key=api_key, **wishes)
    if as_json:
        print_json(asdict(reply))
        return
    out.print(escape(str(reply)), highlight=False, soft_wrap=True)
    if explain:
        out.print(candidates_table(reply.explain))


async def _route_here(request: dict[str, Any]) -> dict[str, Any]:
    async with open_cascade(load_settings()) as cascade:
        return dict(await cascade.route(request))  # type: ignore[arg-type]


def _route_there(text: str, hint: str | None, **agent: Any) -> X25Response:
    try:
        with X25(**agent) as client:
            return client.complete(text, hint=hint)
    except ValueError as error:  # what the SDK refuses before it asks: an empty prompt, a URL that is none
        raise InvalidRequest(str(error), field="prompt") from error


def candidates_table(explain: dict[str, Any]) -> Table:
    """Return who could have answered, at what price, and who was removed by which constraint."""
    table = Table(
        "model", "tier", "predicted", "draw", "expected cost $", title=explain["first_decision"]["reason"]
    )
    for one in sorted(explain["candidates"], key=lambda one: -one["theta"]):
        chosen = one["model_id"] == explain["first_decision"]["model_id"]
        table.add_row(
            one["model_id"], one["tier"], f"{one['completion_prob']:.3f}", f"{one['theta']:.3f}",
            f"{one['expected_cost_usd']:.6f}", style="bold" if chosen else None,
        )  # fmt: skip
    for model_id, why in explain["removed"].items():
        table.add_row(model_id, "", "", "", why, style="dim")
    return table
