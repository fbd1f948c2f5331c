"""Keep evidence of the long run, pooled over cells, of rescues and of drift."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_REALS = (
    "reward_total", "predicted_total", "weight_total", "fast_reward", "fast_predicted", "fast_weight", "drift_up",
    "drift_down",
)  # fmt: skip
_COUNTS = ("rescue_tries", "rescues", "drift_calls", "drifts", "drifted_at")
# The log kept every observation, so the long run is known exactly.
_TOTALS = """
UPDATE posteriors SET (reward_total, predicted_total, weight_total) = (
    SELECT COALESCE(SUM(reward), 0), COALESCE(SUM(predicted), 0), COUNT(reward) FROM evidence_log
    WHERE evidence_log.org = posteriors.org AND evidence_log.task_cell = posteriors.task_cell
    AND evidence_log.model_id = posteriors.model_id
)
"""
_SUMS = ("successes", "failures", "reward_sum", "predicted_sum", "weight", *_REALS[:3])
_POOL = f"""
INSERT INTO posteriors (org, task_cell, model_id, tier, calls_seen, updated_at, {", ".join(_SUMS)})
SELECT org, '*', model_id, MAX(tier), MAX(calls_seen), MAX(updated_at),
    {", ".join(f"COALESCE(SUM({name}), 0)" for name in _SUMS)}
FROM posteriors GROUP BY org, model_id
"""  # noqa: S608 - only names from above


def upgrade() -> None:
    """Add the columns, fill in the long run and pool the cells."""
    for name in _REALS:
        op.add_column("posteriors", sa.Column(name, sa.Double, nullable=False, server_default="0"))
    for name in _COUNTS:
        op.add_column("posteriors", sa.Column(name, sa.BigInteger, nullable=False, server_default="0"))
    op.execute(_TOTALS)
    op.execute(_POOL)
