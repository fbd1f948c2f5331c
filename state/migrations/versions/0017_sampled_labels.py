"""Keep with which probability a labelled answer was picked, and when an arm was found to have changed.

Decisions logged from here on name every arm with its probability and are packed with a second dictionary; earlier
versions read no such rows.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_CHANGED = sa.text("SELECT org, model_id, drifted_at FROM posteriors WHERE task_cell = '*' AND drifts > 0")
_NTH_CALL = sa.text(
    "SELECT created_at FROM calls WHERE org = :org ORDER BY created_at, call_id LIMIT 1 OFFSET :n"
)
_DATE = sa.text(
    "UPDATE posteriors SET drifted_on = :at WHERE org = :org AND model_id = :model_id AND task_cell = '*'"
)


def upgrade() -> None:
    """Add the columns; an arm that changed before changed when the org made the call of that number."""
    op.add_column("labels", sa.Column("sampled_prob", sa.Double, nullable=True))
    op.add_column("posteriors", sa.Column("drifted_on", sa.BigInteger, nullable=True))
    connection = op.get_bind()
    for org, model_id, drifted_at in connection.execute(_CHANGED).all():
        at = connection.execute(_NTH_CALL, {"org": org, "n": max(0, int(drifted_at))}).scalar()
        if at is not None:
            connection.execute(_DATE, {"at": at, "org": org, "model_id": model_id})
