"""Keep what was billed and not believed."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

DISPUTED = sa.text("disputed_nusd > 0")


def upgrade() -> None:
    """Add the column, and the index that finds the few rows it matters in; bills of before were all booked."""
    op.add_column("attempts", sa.Column("disputed_nusd", sa.BigInteger, nullable=False, server_default="0"))
    op.create_index(
        "attempts_disputed", "attempts", ["org"], sqlite_where=DISPUTED, postgresql_where=DISPUTED
    )
