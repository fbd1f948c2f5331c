"""Keep what a label counted as, so that it can be changed and taken back, and count labels by model and cell."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and the table; labels counted so far stay counted for their judges, of no model's."""
    for name in ("model_id", "task_cell", "judge", "edges", "correct_model", "note", "corrected_answer"):
        op.add_column("labels", sa.Column(name, sa.Text))
    for name in ("place", "epoch"):
        op.add_column("labels", sa.Column(name, sa.Integer))
    op.add_column("labels", sa.Column("predicted", sa.Double))
    op.create_table(
        "label_counts",
        *(
            sa.Column(name, sa.Text, primary_key=True)
            for name in ("org", "source", "model_id", "task_cell", "judge", "edges")
        ),
        *(sa.Column(name, sa.Integer, primary_key=True, autoincrement=False) for name in ("place", "epoch")),
        *(sa.Column(name, sa.Double, nullable=False) for name in ("right", "wrong", "predicted")),
    )
    op.execute(
        "INSERT INTO label_counts"
        ' (org, source, model_id, task_cell, judge, edges, place, epoch, "right", wrong, predicted)'
        " SELECT org, 'audit', '', '', judge, edges, bin, -1, \"right\", wrong, 0.0 FROM judge_counts"
    )
    op.drop_table("judge_counts")
