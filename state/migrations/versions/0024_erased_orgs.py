"""Count how often an org was erased, so that every process on the store drops what it knows of it."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, from zero: no process keeps anything of an org that was erased before it started."""
    op.add_column("orgs", sa.Column("erasures", sa.BigInteger, nullable=False, server_default="0"))
    op.create_index(
        "orgs_erased", "orgs", ["erasures"], sqlite_where=sa.text("erasures > 0"),
        postgresql_where=sa.text("erasures > 0"),
    )  # fmt: skip
