"""Keep responses that may be read again and gone on from."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table, which is empty: responses were in the memory of the process that gave them."""
    op.create_table(
        "responses",
        sa.Column("org", sa.Text, primary_key=True, nullable=False),
        sa.Column("call_id", sa.Text, primary_key=True, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
    )
    op.create_index("responses_by_creation", "responses", ["created_at"])
