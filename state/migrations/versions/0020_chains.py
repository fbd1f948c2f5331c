"""Count the steps of chains that callers name, and when each began."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table, which is empty: chains begun before have no steps yet."""
    op.create_table(
        "chains",
        sa.Column("org", sa.Text, primary_key=True, nullable=False),
        sa.Column("chain_key", sa.LargeBinary, primary_key=True, nullable=False),
        sa.Column("steps", sa.BigInteger, nullable=False),
        sa.Column("began_at", sa.BigInteger, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
    )
    op.create_index("chains_by_time", "chains", ["seen_at"])
