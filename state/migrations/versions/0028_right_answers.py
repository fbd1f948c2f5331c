"""How likely answers are right, by kind of task, for comparisons with single models; not known of older calls."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add columns."""
    op.add_column("choice_sums", sa.Column("believed", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("choice_sums", sa.Column("right_prob", sa.Double, nullable=False, server_default="0"))
