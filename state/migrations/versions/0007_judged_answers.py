"""Name the table of judged answers after what it holds."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Rename the table; its index is made again, as SQLite renames none."""
    op.drop_index("looks_by_time", "looks")
    op.rename_table("looks", "judged_answers")
    op.create_index("judged_answers_by_time", "judged_answers", ["org", "created_at"])
