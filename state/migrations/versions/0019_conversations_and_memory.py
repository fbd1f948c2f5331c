"""Say of each call which conversation it belongs to, and keep what orgs let be remembered."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns, unknown for the calls there are, and the tables, which are empty."""
    op.add_column("calls", sa.Column("conversation_id", sa.Text))
    op.add_column("calls", sa.Column("turn_key", sa.LargeBinary))
    known = sa.text("turn_key IS NOT NULL")
    op.create_index("calls_by_turn", "calls", ["org", "turn_key"], sqlite_where=known, postgresql_where=known)
    op.create_table(
        "memories",
        sa.Column("org", sa.Text, primary_key=True, nullable=False),
        sa.Column("scope", sa.Text, primary_key=True, nullable=False),
        sa.Column("memory_id", sa.Text, primary_key=True, nullable=False),
        sa.Column("conversation_id", sa.Text, nullable=False),
        sa.Column("call_id", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("allowed_providers", sa.Text),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("vector", sa.LargeBinary),
        sa.Column("encoder", sa.Text, nullable=False),
    )
    op.create_index("memories_by_time", "memories", ["org", "scope", "created_at"])
    op.create_index("memories_by_creation", "memories", ["created_at"])
    op.create_table(
        "memory_settings",
        sa.Column("org", sa.Text, primary_key=True, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("budget_tokens", sa.Integer, nullable=False),
        sa.Column("keep_days", sa.Double),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
    )
