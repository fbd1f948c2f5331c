"""Sum up the quality of every answer that has one, estimates included, instead of those somebody looked at."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

OF_THE_GROUP = """
FROM calls WHERE calls.org = call_sums.org AND calls.router = call_sums.router
AND COALESCE(calls.model_id, 'none') = call_sums.model_id AND COALESCE(calls.tier, 'none') = call_sums.tier
"""


def upgrade() -> None:
    """Rename the count, and count from the log."""
    op.execute("ALTER TABLE call_sums RENAME COLUMN looked_at TO rated")
    op.execute(
        f"UPDATE call_sums SET rated = (SELECT COUNT(quality_score) {OF_THE_GROUP}),"  # noqa: S608 - a constant
        f" quality = (SELECT COALESCE(SUM(quality_score), 0.0) {OF_THE_GROUP})"
    )
