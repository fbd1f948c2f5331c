"""Keep what a refit on an org's own calls needs, what it fits, and the refits that are due."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the vectors of prompts, the count of labelled calls, and the tables of artifacts and jobs."""
    op.add_column("calls", sa.Column("inputs", sa.LargeBinary))
    op.add_column("orgs", sa.Column("labelled_count", sa.BigInteger, nullable=False, server_default="0"))
    op.create_table(
        "artifacts",
        sa.Column("org", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("status", "parameters", "metrics")),
        sa.Column("replaces", sa.BigInteger),
        sa.Column("live_of", sa.Text),
        sa.UniqueConstraint("org", "live_of", name="artifacts_one_live"),
    )
    op.create_table(
        "jobs",
        sa.Column("org", sa.Text, primary_key=True),
        sa.Column("labelled", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("claimed_at", sa.BigInteger),
        sa.Column("finished_at", sa.BigInteger),
        sa.Column("detail", sa.Text),
    )
    op.create_index("jobs_by_status", "jobs", ["status"])
