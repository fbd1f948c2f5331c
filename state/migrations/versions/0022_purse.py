"""Count tokens beside money, limit whatever an org or a key does in a minute, and keep orgs' own provider keys."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns, which limit nobody, and the tables; `rate_slots` counts what `key_requests` did."""
    for name in ("tokens_per_minute", "concurrent_calls"):
        op.add_column("keys", sa.Column(name, sa.Integer, nullable=False, server_default="0"))
    for name in ("day_tokens", "month_tokens"):
        op.add_column("keys", sa.Column(name, sa.BigInteger))
    op.add_column("budgets", sa.Column("tokens", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("attempts", sa.Column("byok_key", sa.Text))
    op.create_index(
        "attempts_byok", "attempts", ["org"], sqlite_where=sa.text("byok_key IS NOT NULL"),
        postgresql_where=sa.text("byok_key IS NOT NULL"),
    )  # fmt: skip
    op.drop_table("key_requests")
    op.create_table(
        "rate_slots",
        *(sa.Column(name, sa.Text, primary_key=True, nullable=False) for name in ("org", "owner", "slot_id")),
        sa.Column("asked_at", sa.BigInteger, nullable=False),
        sa.Column("tokens", sa.BigInteger, nullable=False),
        sa.Column("open_until", sa.BigInteger),
    )
    op.create_index("rate_slots_by_time", "rate_slots", ["org", "owner", "asked_at"])
    op.create_table(
        "provider_keys",
        *(sa.Column(name, sa.Text, primary_key=True, nullable=False) for name in ("org", "key_id")),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("prefix", sa.Text, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
