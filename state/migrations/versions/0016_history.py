"""Keep each prompt once an org, decisions that were asked for alone, and whose a call is."""

from hashlib import sha256

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

LOGS = ("calls", "decisions")
AT_ONCE = 1_000
PAGE = sa.text(
    "SELECT org, call_id, prompt FROM calls WHERE prompt IS NOT NULL"
    " AND (org > :org OR (org = :org AND call_id > :call_id)) ORDER BY org, call_id LIMIT :most"
)
KEEP = sa.text(
    "INSERT INTO prompts (org, sha256, text) VALUES (:org, :sha256, :prompt) ON CONFLICT DO NOTHING"
)
POINT = sa.text("UPDATE calls SET prompt_sha256 = :sha256 WHERE org = :org AND call_id = :call_id")


def upgrade() -> None:
    """Create the tables, and move the prompts of calls into theirs."""
    op.create_table(
        "prompts",
        sa.Column("org", sa.Text, primary_key=True, nullable=False),
        sa.Column("sha256", sa.String(64), primary_key=True, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
    )
    op.create_table(
        "decisions",
        *(sa.Column(name, sa.Text, primary_key=True, nullable=False) for name in ("org", "call_id")),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("config", "task_type", "task_cell")),
        sa.Column("expected_quality", sa.Double, nullable=False),
        sa.Column("cost_nusd", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.Double, nullable=False) for name in ("latency_ms", "propensity")),
        sa.Column("facts", sa.Text, nullable=False),
        sa.Column("user_id", sa.Text),
        sa.Column("prompt_sha256", sa.String(64)),
        sa.Column("record_hash", sa.String(64), nullable=False),
        sa.Column("audit_idx", sa.BigInteger, nullable=False),
    )
    op.add_column("calls", sa.Column("user_id", sa.Text))
    op.add_column("calls", sa.Column("prompt_sha256", sa.String(64)))
    _move_prompts(op.get_bind())
    op.execute("ALTER TABLE calls DROP COLUMN prompt")
    op.create_index("decisions_by_creation", "decisions", ["created_at"])
    for log in LOGS:
        op.create_index(f"{log}_by_entry", log, ["org", "audit_idx"])
        _create_partial(f"{log}_by_user", log, ["org", "user_id", "audit_idx"], "user_id IS NOT NULL")
        _create_partial(f"{log}_by_prompt", log, ["org", "prompt_sha256"], "prompt_sha256 IS NOT NULL")


def _move_prompts(connection: sa.Connection) -> None:
    last = {"org": "", "call_id": ""}
    while rows := connection.execute(PAGE, {**last, "most": AT_ONCE}).all():
        found = [
            {
                "org": row.org, "call_id": row.call_id, "prompt": row.prompt,
                "sha256": sha256(row.prompt.encode("utf-8", "surrogatepass")).hexdigest(),
            }
            for row in rows
        ]  # fmt: skip
        connection.execute(KEEP, found)
        connection.execute(POINT, found)
        last = {"org": rows[-1].org, "call_id": rows[-1].call_id}


def _create_partial(name: str, table: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
