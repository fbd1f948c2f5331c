"""Keep labels of answers, what they say of each judge, and the spending under budgets."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the three tables."""
    op.create_table(
        "labels",
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("org", "call_id")),
        sa.Column("step", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("right", sa.Double, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "judge_counts",
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("org", "judge", "edges")),
        sa.Column("bin", sa.Integer, primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.Double, nullable=False) for name in ("right", "wrong")),
    )
    op.create_table(
        "budgets",
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("org", "account")),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("spent_nusd", "calls")),
    )
