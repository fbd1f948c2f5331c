from importlib import import_module

import pytest
from sqlalchemy import text

from x25.state.latency_buckets import GROWTH, bucket_of
from x25.state.migrations.upgrade import upgrade

MIGRATION = import_module("x25.state.migrations.versions.0027_day_figures")
CALL = """
INSERT INTO calls (org, call_id, created_at, status, task_type, task_cell, difficulty, model_id, tier, cost_nusd,
    judge_cost_nusd, reference_cost_nusd, quality_score, quality_source, latency_ms, cascade_steps, escalations,
    fallbacks, propensity, router, simulated, record_hash, audit_idx, decision)
VALUES ('acme', 'c{n}', {at}, '{status}', 'qa', 'qa', 0, {model}, {tier}, 2000000000, 1000000000, 9000000000,
    {quality}, 'judge', {latency}, 1, {escalations}, {fallbacks}, 1, 'auto', {simulated}, '', {n}, '{{}}')
"""
DAY = """
INSERT INTO day_sums (org, day, model_id, tier, total_calls, cost_nusd, judge_cost_nusd, reference_cost_nusd, judged,
    rated, timed, quality, latency_ms) VALUES ('acme', '{day}', '{model}', '{tier}', {calls}, 0, 0, 0, 0, 0, 0, 0, 0)
"""
ARMS = {"mid": {"model": "'v/m'", "tier": "'mid'"}, "none": {"model": "NULL", "tier": "NULL"}}
NAMES = ("status", "quality", "latency", "escalations", "fallbacks", "simulated")
CALLS = [
    ARMS[arm] | dict(zip(NAMES, values, strict=True))
    for arm, *values in (
        ("mid", "answered", 0.5, 20.0, 2, 0, "true"),
        ("mid", "answered", 1.0, 20.1, 0, 1, "false"),
        ("none", "interrupted", "NULL", 9.0, 0, 0, "true"),
        ("none", "failed", "NULL", 0.4, 0, 3, "true"),
    )
]


def test_its_buckets_are_those_that_calls_count_in():
    assert MIGRATION.GROWTH == GROWTH


def test_rates_squares_and_latencies_are_filled_from_the_log(migrated_to):
    engine = migrated_to(MIGRATION.down_revision)
    with engine.begin() as connection:
        for n, call in enumerate(CALLS):
            connection.execute(text(CALL.format(n=n, at=n, **call)))
        connection.execute(text(DAY.format(day="1970-01-01", model="v/m", tier="mid", calls=2)))
        connection.execute(text(DAY.format(day="1970-01-01", model="none", tier="none", calls=2)))
        connection.execute(text(DAY.format(day="1969-12-31", model="v/m", tier="mid", calls=5)))
    with engine.begin() as connection:
        upgrade(connection)
        days = connection.execute(text(
            "SELECT model_id, total_calls, escalated, fell_back, failed, simulated, quality_sq, saved_sq"
            " FROM day_sums ORDER BY day, model_id"
        )).all()  # fmt: skip
        counts = connection.execute(text(
            "SELECT day, model_id, tier, bucket, total_calls FROM day_latencies ORDER BY model_id"
        )).all()  # fmt: skip
        assert connection.execute(text("SELECT count(*) FROM account_setups")).scalar() == 0
    assert [tuple(one) for one in days] == [
        ("v/m", 5, 0, 0, 0, 0, 0.0, 0.0),  # of which the log holds no call any more
        ("none", 2, 0, 1, 1, 2, 0.0, pytest.approx(72.0)),
        ("v/m", 2, 1, 1, 0, 1, 1.25, pytest.approx(72.0)),
    ]
    assert [tuple(one) for one in counts] == [
        ("1970-01-01", "none", "none", 0, 1), ("1970-01-01", "v/m", "mid", bucket_of(20.0), 2),
    ]  # fmt: skip
