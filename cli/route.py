"""`x25 route`: one prompt, through a running gateway or in this process."""

import asyncio
import json
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
from .decision import show_decision

TaskType = Annotated[
    str | None,
    typer.Option(help="Task type: summary, code, classification, extraction, qa, reasoning, creative."),
]
MaxCost = Annotated[float | None, typer.Option(help="Most the call may cost, US dollars.")]
MaxTier = Annotated[str | None, typer.Option(help="Highest tier allowed: slm, mid, frontier.")]
Hints = Annotated[
    list[str] | None,
    typer.Option(
        "--routing-hint", metavar="NAME=VALUE", help="One of routing_hints, such as mode=fast; repeatable."
    ),
]
First = Annotated[
    str | None, typer.Option(help="Ask this model first, others only where it fails (routing_override).")
]
ApiKey = Annotated[str | None, typer.Option(envvar="X25_API_KEY", help="API key of the gateway.")]
Local = Annotated[bool, typer.Option("--local", help="Route in this process, without a gateway.")]
Explain = Annotated[bool, typer.Option("--explain", help="Show the candidates and why one was chosen.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", "--decide-only", help="Only say which model would be asked; nobody is.")
]


def route(
    prompt: Annotated[str, typer.Argument(help="The text to route; - reads standard input.")],
    org: Annotated[str, typer.Option(help="Whose learning the call belongs to.")] = "default",
    hint: TaskType = None,
    optimize_for: Annotated[Preset, typer.Option(help="What matters most.")] = "balanced",
    max_cost: MaxCost = None,
    max_tier: MaxTier = None,
    router: Annotated[str, typer.Option(help="Name of a router config.")] = "auto",
    routing_hint: Hints = None,
    model: First = None,
    gateway: Annotated[str, typer.Option(help="URL of the gateway.")] = "http://localhost:8000",
    api_key: ApiKey = None,
    local: Local = False,
    explain: Explain = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Route one prompt and show the answer with its receipt."""
    text = sys.stdin.read() if prompt == "-" else prompt
    policy = _policy(max_cost_per_call_usd=max_cost, max_tier=max_tier)
    wishes = {"org": org, "optimize_for": PRESETS[optimize_for], "policy": policy, "router": router}
    steering = _steering(routing_hint or [], model)
    if dry_run:
        _require_undirected(steering)
        asked = {"prompt": text, "task": hint, **wishes}
        show_decision(asked, None if local else gateway, api_key=api_key, as_json=as_json)
        return
    with friendly_errors():
        if local:
            asked = {"prompt": text, "hint": hint, **wishes, **steering}
            reply = X25Response.from_json(asyncio.run(_route_here(asked)))
        else:
            agent = {"gateway_url": gateway, "api_key": api_key, **wishes}
            reply = _route_there(text, {"hint": hint, **steering}, **agent)
    if as_json:
        print_json(asdict(reply))
        return
    out.print(escape(str(reply)), highlight=False, soft_wrap=True)
    if explain:
        out.print(candidates_table(reply.explain))


def _policy(**limits: Any) -> dict[str, Any]:
    return {name: limit for name, limit in limits.items() if limit is not None}


def _steering(hints: list[str], model: str | None) -> dict[str, Any]:
    """Return the hints and the override of a command, values read as JSON where they are; else as text."""
    said: dict[str, Any] = {}
    for hint in hints:
        name, separator, value = hint.partition("=")
        if not separator or not name:
            raise typer.BadParameter(f"expected NAME=VALUE, got {hint!r}", param_hint="--routing-hint")
        if name in said:
            raise typer.BadParameter(f"{name} is given twice", param_hint="--routing-hint")
        try:
            said[name] = json.loads(value)
        except ValueError:
            said[name] = value
    override = {} if model is None else {"routing_override": {"model": model}}
    return ({"routing_hints": said} if said else {}) | override


def _require_undirected(steering: dict[str, Any]) -> None:
    if steering:
        option = "--routing-hint" if "routing_hints" in steering else "--model"
        raise typer.BadParameter(
            "--dry-run decides by config, policy and weights alone; leave this out", param_hint=option
        )


async def _route_here(request: dict[str, Any]) -> dict[str, Any]:
    async with open_cascade(load_settings()) as cascade:
        return dict(await cascade.route(request))  # type: ignore[arg-type]


def _route_there(text: str, said: dict[str, Any], **agent: Any) -> X25Response:
    try:
        with X25(**agent) as client:
            return client.complete(text, **said)
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
