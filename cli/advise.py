"""`x25 advise`: which models of an org's pool are worth their price, and which swap would pay most."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Column, Table

from ..graph.bootstrap import BUNDLED_MODELS, SIMULATED_MODELS
from ..providers.registry import load_registry
from ..routing.plan.pool_advice import Estimate
from ..state.errors import InvalidRequest
from ..state.names import check_org
from .console import AsJson, Database, existing_store, friendly_errors, out, print_json, run, settings_for
from .workshop import EncoderSetting, counting_bar, workshop_errors

if TYPE_CHECKING:
    from ..training.org.advice import Advice


def advise(
    org: Annotated[str | None, typer.Argument(help="Whose pool; left out with --recorded.")] = None,
    recorded: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, help="Recorded outcomes instead of an org's calls."),
    ] = None,
    panel: Annotated[str | None, typer.Option(help="Panel of the recorded outcomes.")] = None,
    test: Annotated[
        Path | None,
        typer.Option(
            exists=True, file_okay=False, help="Held-out outcomes [a group-safe split of --recorded]."
        ),
    ] = None,
    encoder: EncoderSetting = None,
    cache: Annotated[Path, typer.Option(help="Folder for inputs computed from prompts.")] = Path(
        ".x25/cache"
    ),
    db: Database = None,
    as_json: AsJson = False,
) -> None:
    """Say which models are dominated, which tiers nobody asks, and which swap of one model would pay most."""
    if recorded is not None:
        _advise_recorded(_Recorded(recorded, test, cache), panel, encoder, as_json=as_json)
        return
    with friendly_errors():
        if org is None:
            raise InvalidRequest("name an org, or give --recorded DIR --panel NAME", field="org")
        advice = run(_advise_org(check_org(org), db))
    if as_json:
        print_json(asdict(advice))
        return
    for line in findings(advice):
        out.print(line)
    out.print(swaps_table(advice))


async def _advise_org(org: str, db: str | None) -> "Advice":
    from ..training.org.advice import advise_org  # noqa: PLC0415 - the workshop opens only when used

    settings = settings_for(db)
    registry = load_registry(BUNDLED_MODELS, SIMULATED_MODELS, *settings.model_dirs)
    async with await existing_store(settings) as store:
        return await advise_org(store, registry, org)


def findings(advice: "Advice") -> list[str]:
    """Return what is known of the pool as it is, one sentence each."""
    lines = [
        f"{advice.org}: {advice.calls} calls looked at; pool {', '.join(advice.pool.values()) or 'unknown'}"
    ]
    lines += [
        f"{one.model_id} is dominated by {one.better_model_id}: {one.pass_rate:.3f} on {one.observations:.0f} "
        f"against {one.better_pass_rate:.3f} on {one.better_observations:.0f} judged answers; "
        f"better all the same with probability {one.prob_better:.3f}"
        for one in advice.dominated
    ]
    lines += [
        f"{one.model_id}: {one.requests:,} answers at ${one.mean_cost_usd:.6f}"
        for one in advice.usage
        if one.kind == "answer"
    ]
    lines += [f"no answer came from tier {tier}" for tier in advice.tiers_never_used]
    return lines


def swaps_table(advice: "Advice") -> Table:
    """Return one row a swap."""
    table = Table(
        Column("swap, and what it rests on", overflow="fold"), "points", "$/1k calls", "gain", "P",
        title="swaps, best first, P = it pays; intervals of 90 %, a best of many is flattered",
        title_justify="left", box=None, padding=(0, 1, 1, 0),
    )  # fmt: skip
    for one in advice.swaps:
        table.add_row(
            f"{one.out}\n→ {one.into}\n[dim]{one.basis_into}; in place of {one.basis_out}[/dim]",
            _interval(one.points), _interval(one.usd_per_1000_calls), _interval(one.gain_points),
            f"{one.gain_prob:.2f}",
        )  # fmt: skip
    return table


def _interval(one: Estimate) -> str:
    return f"{one.mean:+.2f}\n[dim]{one.low:+.2f}…{one.high:+.2f}[/dim]"


@dataclass(frozen=True)
class _Recorded:
    """Folders of recorded outcomes: to choose on, to try on, and for what is computed from their prompts."""

    train: Path
    test: Path | None
    cache: Path


def _advise_recorded(at: _Recorded, panel: str | None, encoder: str | None, *, as_json: bool) -> None:
    with workshop_errors():
        if panel is None:
            raise InvalidRequest("--recorded needs --panel", field="panel")
        from ..training.data.sides import Folders  # noqa: PLC0415 - the workshop is loaded where it is used
        from ..training.evaluation.panels import load_panels  # noqa: PLC0415
        from ..training.evaluation.pool_advice import advise_recorded  # noqa: PLC0415
        from ..training.fit.corpus import training_encoder  # noqa: PLC0415

        (chosen,) = load_panels([panel])
        table = training_encoder(settings_for().encoder if encoder is None else encoder)
        with counting_bar() as step:
            folders = Folders(at.train, at.test, table, at.cache)
            report = advise_recorded(chosen, folders, lambda total: step(panel, total))
    if as_json:
        print_json(report)
        return
    out.print(recorded_table(report))


def recorded_table(report: dict[str, Any]) -> Table:
    """Return one row a pool: the panel's own, then the swaps, cheapest on train at the panel's own score first."""
    own = report["own"]
    title = f"{report['panel']}: cost at a train score of {100 * own['target']:.1f}; chosen on train, run once on test"
    table = Table(
        "swap", "pool", "train $/1k", "test $/1k", "test cost, own = 1", "test score %", title=title
    )
    for row in (own, *report["swaps"]):
        name = f"{row['out']} → {row['into']}" if "out" in row else "none"
        reached = "" if row["is_reached_on_train"] or "out" not in row else " (score not reached)"
        table.add_row(
            name + reached, " / ".join(row["tiers"].values()), f"{1e3 * row['train_cost_usd_per_call']:.3f}",
            f"{1e3 * row['test_cost_usd_per_call']:.3f}",
            f"{row['test_cost_usd_per_call'] / own['test_cost_usd_per_call']:.2f}",
            f"{100 * row['test_score']:.1f} ± {row['test_score_half_width_points']:.1f}",
        )  # fmt: skip
    return table
