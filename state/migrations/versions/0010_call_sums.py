"""Keep sums over the call log and how far each chain was verified, so that reports take no walk of the log."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

KEYS = ("org", "router", "model_id", "tier")
COUNTS = (
    "total_calls", "cost_nusd", "judge_cost_nusd", "reference_cost_nusd", "pool_cost_nusd", "pool_calls", "looked_at",
    "timed",
)  # fmt: skip
FROM_LOG = """
INSERT INTO call_sums (
    org, router, model_id, tier, total_calls, cost_nusd, judge_cost_nusd, reference_cost_nusd, pool_cost_nusd,
    pool_calls, looked_at, quality, timed, latency_ms
)
SELECT org, router, COALESCE(model_id, 'none'), COALESCE(tier, 'none'), COUNT(*), SUM(cost_nusd),
    SUM(judge_cost_nusd), SUM(reference_cost_nusd), SUM(reference_cost_nusd), 0,
    SUM(CASE WHEN quality_source IN ('judge', 'checks') AND quality_score IS NOT NULL THEN 1 ELSE 0 END),
    SUM(CASE WHEN quality_source IN ('judge', 'checks') THEN COALESCE(quality_score, 0.0) ELSE 0.0 END),
    SUM(CASE WHEN status <> 'interrupted' THEN 1 ELSE 0 END),
    SUM(CASE WHEN status <> 'interrupted' THEN latency_ms ELSE 0.0 END)
FROM calls
GROUP BY org, router, COALESCE(model_id, 'none'), COALESCE(tier, 'none')
"""


def upgrade() -> None:
    """Add the columns and the table, and fill it from the log."""
    op.add_column("orgs", sa.Column("verified_length", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("orgs", sa.Column("verified_head", sa.String(64), nullable=False, server_default="0" * 64))
    op.add_column("orgs", sa.Column("fully_verified_at", sa.BigInteger))
    op.add_column("calls", sa.Column("pool_cost_nusd", sa.BigInteger))
    op.create_index("calls_by_creation", "calls", ["created_at"])
    op.create_table(
        "call_sums",
        *(sa.Column(name, sa.Text, primary_key=True) for name in KEYS),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in COUNTS),
        *(sa.Column(name, sa.Double, nullable=False) for name in ("quality", "latency_ms")),
    )
    # A call without an answer used to be logged as if it had cost what the reference would have.
    op.execute("UPDATE calls SET reference_cost_nusd = 0 WHERE status <> 'answered'")
    op.execute(FROM_LOG)
