"""Keep jobs that gather training data, models of an org's own, and which orgs want none of it."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the three tables."""
    op.create_table(
        "improvements",
        *(sa.Column(name, sa.Text, primary_key=True, nullable=False) for name in ("org", "job_id")),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=True) for name in ("seen_at", "finished_at")),
        sa.Column("options", sa.Text, nullable=False),
        sa.Column("phase", sa.Text, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("done", "total")),
        *(sa.Column(name, sa.Text, nullable=True) for name in ("detail", "result", "open_of")),
        sa.UniqueConstraint("open_of", name="improvements_one_open"),
    )
    op.create_table(
        "own_models",
        *(sa.Column(name, sa.Text, primary_key=True, nullable=False) for name in ("org", "model_id")),
        sa.Column("spec", sa.Text, nullable=False),
        sa.Column("registered_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "training_opt_outs",
        sa.Column("org", sa.Text, primary_key=True, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
    )
