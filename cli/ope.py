"""`x25 ope`: what another policy would have brought on an org's own log, and whether a change may go ahead."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from ..graph.routers import load_routers
from ..state.errors import ConfigError, InvalidRequest
from ..state.names import check_org
from .console import AsJson, Database, err, existing_store, out, print_json, run, settings_for
from .workshop import workshop_errors

if TYPE_CHECKING:
    from ..training.off_policy.evaluation import Valuation
    from ..training.off_policy.gate import Ruling

REFUSED = 3
"""Exit code where the log cannot say; 1 is an error or a gate that is not passed, 2 a misused option."""


def ope(
    org: Annotated[str, typer.Argument(help="Whose log.")],
    policy: Annotated[
        str,
        typer.Option(
            "--policy",
            help="logged, always:MODEL, tier:TIER, threshold:PROB, the name of a router, or a YAML file of one.",
        ),
    ],
    calls: Annotated[int, typer.Option(min=1, help="Newest calls read.")] = 20_000,
    task: Annotated[str | None, typer.Option(help="Only calls of this task type.")] = None,
    gate: Annotated[
        bool,
        typer.Option("--gate", help="Exit 0 where every bound below holds with 95 % confidence, else 1."),
    ] = False,
    min_quality_diff: Annotated[
        float | None, typer.Option(min=-1.0, max=1.0, help="Least difference of quality to the log.")
    ] = None,
    max_cost_ratio: Annotated[
        float | None, typer.Option(min=0.0, help="Largest cost relative to the log's.")
    ] = None,
    db: Database = None,
    as_json: AsJson = False,
) -> None:
    """Estimate quality and cost under another policy, by IPS, SNIPS and doubly robust, with 95 % intervals.

    The policy chooses whom to ask first; judging, climbs and failovers are as logged. Exit code 3 where the log cannot
    say.
    """
    with workshop_errors():
        from ..training.off_policy.gate import Gate, rule  # noqa: PLC0415 - the workshop is loaded where it is used

        bounds = Gate(min_quality_diff, max_cost_ratio)
        if gate and min_quality_diff is None and max_cost_ratio is None:
            raise InvalidRequest("--gate needs --min-quality-diff or --max-cost-ratio", field="gate")
        found: Valuation = run(_value(check_org(org), policy, calls, task, db))
        ruling = rule(found, bounds) if gate else None
    _show(found, ruling, as_json=as_json)
    if ruling is not None:
        raise typer.Exit(0 if ruling.is_passed else 1)
    if found.refused is not None:
        raise typer.Exit(REFUSED)


async def _value(org: str, policy: str, limit: int, task: str | None, db: str | None) -> "Valuation":
    from ..routing.belief.judge_table import DEFAULT_TABLE  # noqa: PLC0415
    from ..training.off_policy.evaluation import value  # noqa: PLC0415
    from ..training.off_policy.log import read_log  # noqa: PLC0415
    from ..training.off_policy.policies import parse_policy  # noqa: PLC0415

    settings = settings_for(db)
    chosen = parse_policy(policy, load_routers(Path(settings.routers_dir) if settings.routers_dir else None))
    async with await existing_store(settings) as store:
        logged = await store.calls.list(org, limit)
        counts = await store.judge_tables.counts(org, DEFAULT_TABLE.edges)
    log = read_log(reversed(logged), counts, task_type=task)
    _require_known(policy, {arm.model_id for call in log.calls for arm in call.arms})
    return value(log, chosen)


def _require_known(policy: str, seen: set[str]) -> None:
    """Raise where a policy asks a model that was in no logged call: one that is misspelt is no lack of evidence."""
    kind, _, model_id = policy.partition(":")
    if kind == "always" and seen and model_id not in seen:
        raise ConfigError(
            f"policy {policy!r}: no logged call could have asked {model_id}; the log's models are "
            f"{', '.join(sorted(seen))}"
        )


def _show(found: "Valuation", ruling: "Ruling | None", *, as_json: bool) -> None:
    if as_json:
        gate: dict[str, Any] | None = None
        if ruling is not None:
            gate = {"passed": ruling.is_passed, "reason": ruling.reason}
        print_json(found.to_json() | {"gate": gate})
        return
    if found.refused is None:
        out.print(values_table(found))
        err.print(found.measured_by, highlight=False)
        err.print(basis_line(found), highlight=False)
    if ruling is not None:
        out.print(ruling.reason, highlight=False, soft_wrap=True)
    elif found.refused is not None:
        err.print(f"refused: {found.refused}", highlight=False, soft_wrap=True)


def values_table(found: "Valuation") -> Table:
    """Return one row an estimator, and the difference to the log."""
    table = Table(
        "", "quality", "95 %", "cost a call $", "95 %", title=f"{found.policy}: {found.description}"
    )
    rows = {"logged": found.logged} | {
        estimator.upper(): {name: by[estimator] for name, by in found.values.items()}
        for estimator in next(iter(found.values.values()))
    }
    for label, row in rows.items():
        quality, cost = row["quality"], row["cost_usd"]
        table.add_row(
            label, f"{quality.value:.3f}", f"{quality.low:.3f} to {quality.high:.3f}",
            f"{cost.value:.6f}", f"{cost.low:.6f} to {cost.high:.6f}",
        )  # fmt: skip
    quality, cost = found.differences["quality"], found.differences["cost_ratio"]
    table.add_row(
        "DR less logged", f"{quality.value:+.3f}", f"{quality.low:+.3f} to {quality.high:+.3f}",
        f"x{cost.value:.3f}", f"{cost.low:.3f} to {cost.high:.3f}",
    )  # fmt: skip
    return table


def basis_line(found: "Valuation") -> str:
    """Return what the estimates rest on."""
    quality = found.values["quality"]["dr"]
    return (
        f"{found.calls:,} calls, worth {quality.effective_sample_size:,.0f} under the policy (largest weight "
        f"{quality.largest_weight:.1f}); {found.missing_share:.1%} of its choices had no chance in the log; "
        f"followed in {found.applied_share:.1%}"
    )
