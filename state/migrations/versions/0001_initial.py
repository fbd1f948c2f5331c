"""Create the first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table."""
    _create_chain_tables()
    _create_calls()
    _create_attempts()
    _create_evidence_tables()
    op.create_table(
        "keys",
        sa.Column("key_id", sa.Text, primary_key=True),
        sa.Column("org", sa.Text, nullable=False),
        sa.Column("key_hash", sa.String(64), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("rate_limit_rpm", sa.Integer, nullable=False),
        sa.Column("revoked_at", sa.BigInteger),
        sa.UniqueConstraint("key_hash", name="keys_hash"),
    )
    op.create_index("keys_by_org", "keys", ["org"])


def _create_chain_tables() -> None:
    op.create_table(
        "orgs",
        sa.Column("org", sa.Text, primary_key=True),
        sa.Column("call_count", sa.BigInteger, nullable=False),
        sa.Column("chain_length", sa.BigInteger, nullable=False),
        sa.Column("chain_head", sa.String(64), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "audit",
        sa.Column("org", sa.Text, primary_key=True),
        sa.Column("idx", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("prev_hash", sa.String(64), nullable=False),
        sa.Column("record_hash", sa.String(64), nullable=False),
        sa.Column("record", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("org", "prev_hash", name="audit_no_fork"),
    )


def _create_calls() -> None:
    op.create_table(
        "calls",
        sa.Column("org", sa.Text, primary_key=True),
        sa.Column("call_id", sa.Text, primary_key=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("status", "task_type", "task_cell")),
        sa.Column("difficulty", sa.Double, nullable=False),
        *(sa.Column(name, sa.Text) for name in ("model_id", "provider", "tier")),
        sa.Column("cost_nusd", sa.BigInteger, nullable=False),
        sa.Column("judge_cost_nusd", sa.BigInteger, nullable=False),
        sa.Column("reference_cost_nusd", sa.BigInteger, nullable=False),
        sa.Column("quality_score", sa.Double),
        sa.Column("quality_source", sa.Text, nullable=False),
        sa.Column("latency_ms", sa.Double, nullable=False),
        *(
            sa.Column(name, sa.Integer, nullable=False)
            for name in ("cascade_steps", "escalations", "fallbacks")
        ),
        sa.Column("propensity", sa.Double, nullable=False),
        sa.Column("router", sa.Text, nullable=False),
        sa.Column("simulated", sa.Boolean, nullable=False),
        sa.Column("record_hash", sa.String(64), nullable=False),
        sa.Column("audit_idx", sa.BigInteger, nullable=False),
        sa.Column("decision", sa.Text, nullable=False),
        sa.Column("prompt", sa.Text),
    )
    op.create_index("calls_by_time", "calls", ["org", "created_at"])


def _create_attempts() -> None:
    tokens = ("prompt_tokens", "cached_tokens", "completion_tokens", "reasoning_tokens")
    op.create_table(
        "attempts",
        sa.Column("attempt_id", sa.Text, primary_key=True),
        sa.Column("org", sa.Text, nullable=False),
        sa.Column("call_id", sa.Text, nullable=False),
        sa.Column("step", sa.Integer, nullable=False),
        *(
            sa.Column(n, sa.Text, nullable=False)
            for n in ("kind", "model_id", "tier", "deployment", "status")
        ),
        sa.Column("reserved_nusd", sa.BigInteger, nullable=False),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("cost_nusd", sa.BigInteger),
        sa.Column("cost_source", sa.Text),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in tokens),
        sa.Column("latency_ms", sa.Double),
        sa.Column("error", sa.Text),
        sa.Column("response", sa.Text),
        sa.Column("finished_at", sa.BigInteger),
    )
    op.create_index("attempts_by_call", "attempts", ["org", "call_id"])


def _create_evidence_tables() -> None:
    sums = ("successes", "failures", "reward_sum", "predicted_sum", "weight")
    op.create_table(
        "posteriors",
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("org", "task_cell", "model_id")),
        sa.Column("tier", sa.Text, nullable=False),
        *(sa.Column(name, sa.Double, nullable=False) for name in sums),
        sa.Column("calls_seen", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "evidence_log",
        sa.Column("org", sa.Text, primary_key=True),
        sa.Column("call_id", sa.Text, primary_key=True),
        sa.Column("step", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("task_cell", sa.Text, nullable=False),
        sa.Column("model_id", sa.Text, nullable=False),
        sa.Column("success", sa.Double, nullable=False),
        sa.Column("failure", sa.Double, nullable=False),
        sa.Column("reward", sa.Double),
        sa.Column("predicted", sa.Double),
        sa.Column("org_calls", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
