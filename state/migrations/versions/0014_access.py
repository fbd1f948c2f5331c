"""Keys that expire, are renewed and have scopes and ceilings; settings of orgs; sums by day and by kind of task."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

OLD_SCOPES = "call read feedback"
"""What every key could do before there were scopes."""
DAY_COUNTS = (
    "total_calls",
    "cost_nusd",
    "judge_cost_nusd",
    "reference_cost_nusd",
    "judged",
    "rated",
    "timed",
)
CHOICE_COUNTS = (
    "total_calls", "cost_nusd", "judge_cost_nusd", "reference_cost_nusd", "judged", "rated",
    "prompt_tokens", "cached_tokens", "completion_tokens", "counted_paid_nusd", "counted_calls",
)  # fmt: skip
CHOICE_REALS = ("quality", "quality_sq", "paid_sq", "reference_sq", "paid_reference")
GROUP = "COALESCE(model_id, 'none'), COALESCE(tier, 'none')"
DAY = {
    "sqlite": "strftime('%Y-%m-%d', created_at / 1000000, 'unixepoch')",
    "postgresql": "to_char(to_timestamp(created_at / 1000000) AT TIME ZONE 'UTC', 'YYYY-MM-DD')",
}
BY_DAY = """
INSERT INTO day_sums (org, day, model_id, tier, total_calls, cost_nusd, judge_cost_nusd, reference_cost_nusd, judged,
    rated, timed, quality, latency_ms)
SELECT org, {day}, {group}, COUNT(*), SUM(cost_nusd), SUM(judge_cost_nusd), SUM(reference_cost_nusd),
    SUM(CASE WHEN quality_source = 'judge' THEN 1 ELSE 0 END), COUNT(quality_score),
    SUM(CASE WHEN status <> 'interrupted' THEN 1 ELSE 0 END), COALESCE(SUM(quality_score), 0.0),
    SUM(CASE WHEN status <> 'interrupted' THEN latency_ms ELSE 0.0 END)
FROM calls GROUP BY org, {day}, {group}
"""
# Tokens of answers were not kept with their calls, so comparisons with a single model begin with this version.
BY_CHOICE = """
INSERT INTO choice_sums (org, task_cell, model_id, total_calls, cost_nusd, judge_cost_nusd, reference_cost_nusd,
    judged, rated, prompt_tokens, cached_tokens, completion_tokens, counted_paid_nusd, counted_calls,
    quality, quality_sq, paid_sq, reference_sq, paid_reference)
SELECT org, task_cell, COALESCE(model_id, 'none'), COUNT(*), SUM(cost_nusd), SUM(judge_cost_nusd),
    SUM(reference_cost_nusd), SUM(CASE WHEN quality_source = 'judge' THEN 1 ELSE 0 END), COUNT(quality_score),
    0, 0, 0, 0, 0, COALESCE(SUM(quality_score), 0.0), COALESCE(SUM(quality_score * quality_score), 0.0),
    SUM({paid} * {paid}), SUM({reference} * {reference}), SUM({paid} * {reference})
FROM calls GROUP BY org, task_cell, COALESCE(model_id, 'none')
"""
PAID, REFERENCE = "((cost_nusd + judge_cost_nusd) / 1e9)", "(reference_cost_nusd / 1e9)"


def upgrade() -> None:
    """Add columns and tables, and fill the sums from the log."""
    op.add_column("keys", sa.Column("family", sa.Text, nullable=False, server_default=""))
    op.add_column("keys", sa.Column("prefix", sa.Text, nullable=False, server_default=""))
    op.add_column("keys", sa.Column("scopes", sa.Text, nullable=False, server_default=OLD_SCOPES))
    for name in ("expires_at", "last_used_at", "call_nusd", "day_nusd", "month_nusd"):
        op.add_column("keys", sa.Column(name, sa.BigInteger))
    op.execute("UPDATE keys SET family = key_id")
    op.create_table(
        "org_settings",
        sa.Column("org", sa.Text, primary_key=True),
        sa.Column("settings", sa.Text, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "day_sums",
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("org", "day", "model_id", "tier")),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in DAY_COUNTS),
        *(sa.Column(name, sa.Double, nullable=False) for name in ("quality", "latency_ms")),
    )
    op.create_table(
        "choice_sums",
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("org", "task_cell", "model_id")),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in CHOICE_COUNTS),
        *(sa.Column(name, sa.Double, nullable=False) for name in CHOICE_REALS),
    )
    op.execute(BY_DAY.format(day=DAY[op.get_bind().dialect.name], group=GROUP))
    op.execute(BY_CHOICE.format(paid=PAID, reference=REFERENCE))
