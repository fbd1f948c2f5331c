"""GET /judge: how far an org's judges agree with labelled outcomes."""

from dataclasses import asdict

from fastapi import APIRouter

from ...routing.belief.judge_agreement import JudgeReport, judge_report
from ..deps import CascadeDep, KeyDep, org_to_read
from ..report_schemas import Judge, Judges

router = APIRouter(tags=["reports"])


@router.get("/judge/{project}", summary="Judges of one project against labelled outcomes")
async def judge(project: str, cascade: CascadeDep, key: KeyDep) -> Judges:
    """Return each judge's score bins, counts and AUC with its interval, and whether it may trigger escalations."""
    org, services = org_to_read(key, project), cascade.services
    default = services.judge_table
    counts = await services.store.judge_tables.counts(org, default.edges)
    await services.refresh_labels(org)
    tables = services.judge_book.labels(org).tables
    reports = [
        judge_report(name, default, one.right, one.wrong, tables.get(name)) for name, one in counts.items()
    ]
    asked = () if services.judge is None else services.judge.specs
    nothing = (0.0,) * (len(default.edges) + 1)
    reports += [
        judge_report(spec.model_id, default, nothing, nothing)
        for spec in asked
        if spec.model_id not in counts
    ]
    return Judges(
        org=org, labels=await services.store.labels.count(org), judges=[_wire(one) for one in reports]
    )


def _wire(report: JudgeReport) -> Judge:
    return Judge(**asdict(report))
