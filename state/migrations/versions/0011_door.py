"""Claim a call id once, count what a key asks in a minute, and let a key read every org."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables and add the column; keys made before read their own org."""
    op.create_table(
        "call_claims",
        sa.Column("org", sa.Text, primary_key=True, nullable=False),
        sa.Column("call_id", sa.Text, primary_key=True, nullable=False),
        sa.Column("claimed_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "key_requests",
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("asked_at", sa.BigInteger, nullable=False),
    )
    op.create_index("key_requests_by_time", "key_requests", ["key_id", "asked_at"])
    op.add_column("keys", sa.Column("is_admin", sa.Boolean, nullable=False, server_default=sa.false()))
