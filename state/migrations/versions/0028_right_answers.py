"""How likely answers are right, by day and by kind of task; not known of older calls."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add columns."""
    for table in ("day_sums", "choice_sums"):
        op.add_column(table, sa.Column("believed", sa.BigInteger, nullable=False, server_default="0"))
        op.add_column(table, sa.Column("right_prob", sa.Double, nullable=False, server_default="0"))
