"""`x25 judge`: how far an org's judges agree with labelled outcomes."""

from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from ..nodes.org.judge_tables import read_labels
from ..routing.belief.judge_agreement import TARGET_AUC, JudgeReport, judge_report
from ..routing.belief.judge_table import DEFAULT_TABLE, LEAST_AUC
from ..state.names import check_org
from .console import AsJson, Database, err, existing_store, out, print_json, run, settings_for


def judge(
    org: Annotated[str, typer.Argument(help="Whose judges.")],
    db: Database = None,
    as_json: AsJson = False,
) -> None:
    """Show each judge's score bins, how labelled answers fell into them, and its AUC with the 95 % interval."""
    reports = run(_reports(org, db))
    if as_json:
        print_json({"org": org, "judges": [asdict(one) for one in reports]})
        return
    if not reports:
        err.print(
            f"org {org} has labelled no answer a judge had scored: the default table is in use",
            soft_wrap=True,
        )
    for report in reports:
        out.print(bins_table(report))
        out.print(verdict_line(report))


async def _reports(org: str, db: str | None) -> list[JudgeReport]:
    async with await existing_store(settings_for(db)) as store:
        counts = await store.judge_tables.counts(check_org(org), DEFAULT_TABLE.edges)
        tables = (await read_labels(org, store, DEFAULT_TABLE)).tables
    return [
        judge_report(name, DEFAULT_TABLE, one.right, one.wrong, tables.get(name))
        for name, one in counts.items()
    ]


def bins_table(report: JudgeReport) -> Table:
    """Return one row a score bin."""
    title = f"{report.judge}: {report.labels:g} labelled answers"
    table = Table(
        "score", "right", "wrong", "share of right", "share of wrong", "learning weight", title=title
    )
    for one in report.bins:
        weight = "none" if one.learning_weight is None else f"{one.learning_weight:+.2f}"
        table.add_row(
            f"{one.low:g} to {one.high:g}", f"{one.right:g}", f"{one.wrong:g}", f"{one.right_share:.3f}",
            f"{one.wrong_share:.3f}", weight,
        )  # fmt: skip
    return table


def verdict_line(report: JudgeReport) -> str:
    """Return the judge's agreement in one sentence."""
    trust = "trusted" if report.is_trusted else f"not trusted, below {LEAST_AUC:g}: it triggers no escalation"
    served = f"served AUC {report.served_auc:.3f}, {trust}"
    if report.auc is None:
        return f"AUC unknown: it takes answers labelled right and wrong; {served}"
    gap = f", {report.gap_to_target:.3f} short of {TARGET_AUC:g}" if report.gap_to_target else ""
    return f"AUC {report.auc:.3f} (95 % {report.auc_low:.3f} to {report.auc_high:.3f}){gap}; {served}"
