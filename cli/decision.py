"""`x25 route --dry-run`: which model would be asked; nobody is."""

from typing import Any

import httpx
from rich.table import Table

from ..graph.run import open_cascade
from ..graph.settings import load_settings
from ..state.errors import ConfigError
from ..state.records import usd_from_nusd
from .console import out, print_json, run

TIMEOUT_S = 30.0


def show_decision(wishes: dict[str, Any], gateway: str | None, *, api_key: str | None, as_json: bool) -> None:
    """Decide through a gateway, or in this process where none is named, and print the decision."""
    asked = {"config" if name == "router" else name: value for name, value in wishes.items()}
    decision = run(_here(asked) if gateway is None else _there(asked, gateway, api_key))
    if as_json:
        print_json(decision)
        return
    title = f"{', '.join(decision['selected'])} would be asked: {decision['expected_quality']:.3f} expected"
    table = Table("model", "mu", "sigma", "cost $", title=title)
    for one in sorted(decision["candidates"], key=lambda one: -one["mu"]):
        table.add_row(
            one["model_id"], f"{one['mu']:.3f}", f"{one['sigma']:.3f}", f"{one['cost']:.6f}",
            style="bold" if one["model_id"] in decision["selected"] else None,
        )  # fmt: skip
    for model_id, why in decision["removed"].items():
        table.add_row(model_id, "", "", why, style="dim")
    out.print(table)


async def _here(asked: dict[str, Any]) -> dict[str, Any]:
    from ..graph.question import Question  # noqa: PLC0415 - only where it is decided

    async with open_cascade(load_settings(), does_chores=False) as cascade:
        decided = await cascade.decide(Question(**asked))
    logged = decided.logged
    return {
        "id": logged.call_id, "task": logged.task_type, "config": logged.config, **logged.facts,
        "expected_quality": logged.expected_quality, "cost": usd_from_nusd(logged.cost_nusd),
        "latency": logged.latency_ms, "propensity": logged.propensity, "removed": decided.removed,
        "audit_hash": logged.record_hash,
    }  # fmt: skip


async def _there(asked: dict[str, Any], gateway: str, api_key: str | None) -> dict[str, Any]:
    headers = {} if api_key is None else {"Authorization": f"Bearer {api_key}"}
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT_S) as client:
            reply = await client.post(f"{gateway.rstrip('/')}/api/route", json=asked, headers=headers)
            body: Any = reply.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise ConfigError(
            f"no gateway answers at {gateway} ({type(error).__name__}): start one with x25 serve, or decide here with "
            "--local"
        ) from error
    if reply.is_error:
        said = body.get("error", {}).get("message") if isinstance(body, dict) else None
        raise ConfigError(f"{gateway} answered {reply.status_code}: {said}")
    decided: dict[str, Any] = body
    return decided
