"""Keep what judged answers looked like, in numbers."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "looks",
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("org", "call_id")),
        sa.Column("step", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("task_cell", "model_id", "tier")),
        sa.Column("features", sa.LargeBinary, nullable=False),
        sa.Column("features_id", sa.Text, nullable=False),
        sa.Column("prior_prob", sa.Double, nullable=False),
        sa.Column("score_bin", sa.Integer, nullable=False),
        sa.Column("judge", sa.Text, nullable=False),
    )
    op.create_index("looks_by_time", "looks", ["org", "created_at"])
