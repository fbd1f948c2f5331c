"""Rates, spreads and latencies by day, and links that make the first account."""

from collections import Counter
from datetime import UTC, datetime
from math import ceil, log

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

COUNTS = ("escalated", "fell_back", "failed", "simulated")
REALS = ("quality_sq", "saved_sq")
DAY = {
    "sqlite": "strftime('%Y-%m-%d', created_at / 1000000, 'unixepoch')",
    "postgresql": "to_char(to_timestamp(created_at / 1000000) AT TIME ZONE 'UTC', 'YYYY-MM-DD')",
}
SAVED = "((reference_cost_nusd - cost_nusd - judge_cost_nusd) / 1e9)"
# Where calls were erased, the days' sums stay as they were and these begin with the calls that are left.
FILL = """
UPDATE day_sums SET escalated = seen.escalated, fell_back = seen.fell_back, failed = seen.failed,
    simulated = seen.simulated, quality_sq = seen.quality_sq, saved_sq = seen.saved_sq
FROM (
    SELECT org, {day} AS day, COALESCE(model_id, 'none') AS model_id, COALESCE(tier, 'none') AS tier,
        SUM(CASE WHEN escalations > 0 THEN 1 ELSE 0 END) AS escalated,
        SUM(CASE WHEN fallbacks > 0 THEN 1 ELSE 0 END) AS fell_back,
        SUM(CASE WHEN status = 'failed' THEN 1 ELSE 0 END) AS failed,
        SUM(CASE WHEN simulated THEN 1 ELSE 0 END) AS simulated,
        COALESCE(SUM(quality_score * quality_score), 0.0) AS quality_sq, SUM({saved} * {saved}) AS saved_sq
    FROM calls GROUP BY org, {day}, COALESCE(model_id, 'none'), COALESCE(tier, 'none')
) AS seen
WHERE day_sums.org = seen.org AND day_sums.day = seen.day AND day_sums.model_id = seen.model_id
    AND day_sums.tier = seen.tier
"""
TIMED = sa.text(
    "SELECT org, created_at, COALESCE(model_id, 'none'), COALESCE(tier, 'none'), latency_ms FROM calls"
    " WHERE status <> 'interrupted'"
)
GROWTH = 1.05
"""Of the buckets: each ends at so many times its beginning, the first at a millisecond."""
AT_ONCE = 5_000


def upgrade() -> None:
    """Add columns and tables, and fill them from the log."""
    for name in COUNTS:
        op.add_column("day_sums", sa.Column(name, sa.BigInteger, nullable=False, server_default="0"))
    for name in REALS:
        op.add_column("day_sums", sa.Column(name, sa.Double, nullable=False, server_default="0"))
    latencies = op.create_table(
        "day_latencies",
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("org", "day", "model_id", "tier")),
        sa.Column("bucket", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("total_calls", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "account_setups",
        sa.Column("token_hash", sa.String(64), primary_key=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
    )
    connection = op.get_bind()
    op.execute(FILL.format(day=DAY[connection.dialect.name], saved=SAVED))
    names = ("org", "day", "model_id", "tier", "bucket", "total_calls")
    rows = [dict(zip(names, (*key, count), strict=True)) for key, count in _counted(connection).items()]
    for first in range(0, len(rows), AT_ONCE):
        op.bulk_insert(latencies, rows[first : first + AT_ONCE])


def _counted(connection: sa.Connection) -> Counter[tuple[str, str, str, str, int]]:
    found: Counter[tuple[str, str, str, str, int]] = Counter()
    for org, created_at, model_id, tier, latency_ms in connection.execute(TIMED).yield_per(AT_ONCE):
        day = datetime.fromtimestamp(created_at // 1_000_000, UTC).date().isoformat()
        bucket = max(0, ceil(log(latency_ms) / log(GROWTH))) if latency_ms > 1.0 else 0
        found[org, day, model_id, tier, bucket] += 1
    return found
