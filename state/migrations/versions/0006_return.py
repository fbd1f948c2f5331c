"""Keep what an arm was like before it became worse, and the odds that it is so again."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; of earlier changes nothing was kept."""
    for name in ("forgotten_reward", "forgotten_predicted", "forgotten_weight", "return_odds"):
        op.add_column("posteriors", sa.Column(name, sa.Double, nullable=False, server_default="0"))
