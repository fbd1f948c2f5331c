"""Keep answers that may be given again, and count the calls that were answered so."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table, which is empty, and the sums, which no call moved so far."""
    op.create_table(
        "cached_answers",
        sa.Column("org", sa.Text, primary_key=True, nullable=False),
        sa.Column("key", sa.String(64), primary_key=True, nullable=False),
        sa.Column("call_id", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("context", sa.String(64)),
        sa.Column("question", sa.Text),
        sa.Column("vector", sa.LargeBinary),
        sa.Column("encoder", sa.Text),
    )
    op.create_index("cached_answers_by_call", "cached_answers", ["org", "call_id"])
    op.create_index("cached_answers_by_context", "cached_answers", ["org", "context", "created_at"])
    op.create_index("cached_answers_by_creation", "cached_answers", ["created_at"])
    op.create_index("cached_answers_by_end", "cached_answers", ["expires_at"])
    op.add_column("calls", sa.Column("cache_type", sa.Text))
    op.add_column("calls", sa.Column("cache_saved_nusd", sa.BigInteger, nullable=False, server_default="0"))
    for name in ("cache_hits", "cache_saved_nusd"):
        op.add_column("call_sums", sa.Column(name, sa.BigInteger, nullable=False, server_default="0"))
