"""Keep which processes are alive, and which calls are begun and not logged."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

UNLOGGED = """
INSERT INTO open_calls (org, call_id, asked_at)
SELECT attempts.org, attempts.call_id, max(attempts.started_at) FROM attempts
WHERE NOT EXISTS (SELECT 1 FROM calls WHERE calls.org = attempts.org AND calls.call_id = attempts.call_id)
GROUP BY attempts.org, attempts.call_id
"""


def upgrade() -> None:
    """Add the two tables; calls that are open now belong to nobody."""
    op.create_table(
        "leases",
        sa.Column("holder", sa.Text, primary_key=True),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("taken_at", "expires_at")),
    )
    op.create_table(
        "open_calls",
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("org", "call_id")),
        sa.Column("holder", sa.Text),
        sa.Column("asked_at", sa.BigInteger, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
        sa.Column("reason", sa.Text),
        sa.Column("set_aside_at", sa.BigInteger),
    )
    op.execute(UNLOGGED)
