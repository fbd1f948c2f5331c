"""`x25 models`: what can be routed to."""

from typing import Any

from rich.table import Column, Table

from ..graph.bootstrap import BUNDLED_MODELS
from ..graph.settings import read_environment
from ..providers.keyring import Keyring
from ..providers.registry import Registry, load_registry
from ..state.types import TIERS
from .console import AsJson, friendly_errors, out, print_json, settings_for


def models(as_json: AsJson = False) -> None:
    """List the models of the registry with prices, and what would open those that cannot be reached."""
    with friendly_errors():
        registry = load_registry(BUNDLED_MODELS, *settings_for().model_dirs)
        rows = describe(registry, Keyring(read_environment()))
    if as_json:
        print_json(rows)
        return
    columns = ("provider", "tier", "$/M in", "$/M out", "context", "capability", "reachable")
    table = Table(Column("model", no_wrap=True), *columns)
    for row in rows:
        table.add_row(
            row["model_id"], row["provider"], row["tier"], _number(row["input_usd_per_mtok"]),
            _number(row["output_usd_per_mtok"]), f"{row['context_tokens']:,}", _number(row["capability"]),
            "yes" if row["routable"] else row["why_not"], style=None if row["routable"] else "dim",
        )  # fmt: skip
    out.print(table)


def describe(registry: Registry, keyring: Keyring) -> list[dict[str, Any]]:
    """Return a row a model, cheapest tier first."""
    reasons = registry.unroutable(keyring.has)
    return [
        {
            "model_id": spec.model_id,
            "provider": spec.provider,
            "tier": spec.tier,
            "input_usd_per_mtok": float(spec.input_usd_per_mtok) if spec.priced else None,
            "output_usd_per_mtok": float(spec.output_usd_per_mtok) if spec.priced else None,
            "context_tokens": spec.context_tokens,
            "capability": spec.capability,
            "as_of": spec.as_of,
            "routable": spec.model_id not in reasons,
            "why_not": reasons.get(spec.model_id),
        }
        for spec in sorted(registry.models, key=lambda spec: (TIERS.index(spec.tier), spec.model_id))
    ]


def _number(value: float | None) -> str:
    return "?" if value is None else f"{value:.3g}"
