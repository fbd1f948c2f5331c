"""`x25 train --from-log`, `--rollback` and `--export-log`: an org's own estimators and its own rows."""

from pathlib import Path
from typing import Any

from rich.table import Table

from ..graph.bootstrap import BUNDLED_MODELS, SIMULATED_MODELS
from ..graph.estimators import load_difficulty
from ..providers.registry import load_registry
from ..state.names import check_org
from .console import err, existing_store, out, print_json, run, settings_for
from .workshop import workshop_errors


def refit_from_log(org: str, db: str | None, *, dry_run: bool, as_json: bool) -> None:
    """Fit the org's own estimators and its free verifier on its calls; print how they did and what became of them."""
    with workshop_errors():
        from ..training.org.refit import Refit, refit  # noqa: PLC0415 - the workshop is loaded where it is used
        from ..training.org.verifier import OrgVerifierFit, fit_org_verifier  # noqa: PLC0415

        async def work() -> tuple[Refit, OrgVerifierFit]:
            settings = settings_for(db)
            difficulty = load_difficulty(settings.model)
            registry = load_registry(BUNDLED_MODELS, SIMULATED_MODELS, *settings.model_dirs)
            specs = {spec.model_id: spec for spec in registry.models}
            async with await existing_store(settings) as store:
                return (
                    await refit(store, check_org(org), difficulty, specs, dry_run=dry_run),
                    await fit_org_verifier(store, org, difficulty.encoder_fingerprint, dry_run=dry_run),
                )

        found, verifier_fit = run(work())
    if as_json:
        verifier = {
            "decision": verifier_fit.decision,
            "version": verifier_fit.version,
            **verifier_fit.metrics,
        }
        outcome = {"org": found.org, "decision": found.decision, "version": found.version}
        print_json({**outcome, **found.metrics, "verifier": verifier})
        return
    _show(found.metrics)
    version = "nothing written" if found.version is None else f"version {found.version}"
    out.print(f"{found.decision}: {version}", highlight=False)
    audits = ", ".join(f"{cell} {auc:.2f}" for cell, auc in verifier_fit.metrics.get("cell_auc", {}).items())
    out.print(
        f"free verifier: {verifier_fit.decision}, {verifier_fit.metrics['answers']:,} judged answers"
        + (f", AUC by task: {audits}" if audits else ""),
        highlight=False,
    )


def _show(metrics: dict[str, Any]) -> None:
    out.print(
        f"{metrics['answers']:,} first answers, {metrics['labelled']:,} looked at, {metrics['held_out']:,} held out",
        highlight=False,
    )
    for reason, count in metrics["skipped"].items():
        out.print(f"skipped {count:,}: {reason}", highlight=False)
    if "log_loss" not in metrics:
        return
    table = Table(
        "estimators", "log loss", "candidate better by", "standard error", title="on calls held out"
    )
    for name, loss in metrics["log_loss"].items():
        gain = metrics["gain"].get(name)
        shown = ("", "") if gain is None else (f"{gain['mean']:+.4f}", f"{gain['standard_error']:.4f}")
        table.add_row(name, f"{loss:.4f}", *shown)
    out.print(table)


def roll_back(org: str, db: str | None, *, as_json: bool) -> None:
    """Serve what served before the org's live version."""
    with workshop_errors():
        from ..training.org.refit import roll_back as take_back  # noqa: PLC0415 - see above

        async def work() -> int | None:
            async with await existing_store(settings_for(db)) as store:
                restored = await take_back(store, check_org(org))
                return None if restored is None else restored.version

        version: int | None = run(work())
    if as_json:
        print_json({"org": org, "restored": version})
    else:
        what = "the bundled estimators serve" if version is None else f"version {version} serves"
        err.print(f"{what} org {org} again")


def export(org: str, db: str | None, output: Path, *, as_json: bool) -> None:
    """Write the org's call log as training rows."""
    with workshop_errors():
        from ..training.org.export_log import Export, export_log  # noqa: PLC0415 - see above

        async def work() -> Export:
            async with await existing_store(settings_for(db)) as store:
                return await export_log(store, check_org(org), output)

        written: Export = run(work())
    if as_json:
        print_json({"rows": written.rows, "skipped": written.skipped, "output": str(output)})
    else:
        err.print(
            f"wrote {written.rows:,} rows to {output}; train on them: x25 train --dataset jsonl:{output}"
        )
