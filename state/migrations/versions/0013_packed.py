"""Pack the long texts of calls in SQLite. Rows written before stay as they are; earlier versions read no others."""

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change nothing: what is there is read as before."""
