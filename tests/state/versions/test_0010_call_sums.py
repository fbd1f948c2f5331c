from importlib import import_module

from sqlalchemy import text

from x25.state.migrations.upgrade import upgrade

MIGRATION = import_module("x25.state.migrations.versions.0010_call_sums")
OLD_CALL = """
INSERT INTO calls (org, call_id, created_at, status, task_type, task_cell, difficulty, model_id, tier, cost_nusd,
    judge_cost_nusd, reference_cost_nusd, quality_score, quality_source, latency_ms, cascade_steps, escalations,
    fallbacks, propensity, router, simulated, record_hash, audit_idx, decision)
VALUES ('acme', '{call_id}', 0, '{status}', 'qa', 'qa', 0, {model}, {tier}, 100, 10, {reference}, {quality}, '{source}',
    {latency}, 1, 0, 0, 1, '{router}', 0, '', {n}, '{{}}')
"""
CALLS = (
    {"status": "answered", "model": "'v/m'", "tier": "'mid'", "reference": 900, "quality": 0.5, "source": "judge",
     "latency": 20.0, "router": "auto"},
    {"status": "answered", "model": "'v/m'", "tier": "'mid'", "reference": 300, "quality": 0.9, "source": "estimate",
     "latency": 40.0, "router": "auto"},
    {"status": "interrupted", "model": "NULL", "tier": "NULL", "reference": 100, "quality": "NULL", "source": "none",
     "latency": 0.0, "router": "auto"},
    {"status": "failed", "model": "NULL", "tier": "NULL", "reference": 100, "quality": "NULL", "source": "checks",
     "latency": 5.0, "router": "pair"},
)  # fmt: skip


def test_this_follows_another_migration():
    assert (MIGRATION.revision, MIGRATION.down_revision) == ("0010", "0009")


def test_calls_logged_before_are_in_the_sums_and_one_without_an_answer_replaced_nothing(migrated_to):
    engine = migrated_to("0009")
    with engine.begin() as connection:
        for n, call in enumerate(CALLS):
            connection.execute(text(OLD_CALL.format(call_id=f"c{n}", n=n, **call)))
    with engine.begin() as connection:
        upgrade(connection)
        sums = connection.execute(text(
            "SELECT router, model_id, tier, total_calls, cost_nusd, judge_cost_nusd, reference_cost_nusd,"
            " pool_cost_nusd, pool_calls, rated, quality, timed, latency_ms FROM call_sums"
            " ORDER BY router, model_id"
        )).all()  # fmt: skip
        references = connection.scalars(text("SELECT reference_cost_nusd FROM calls ORDER BY call_id")).all()
    assert [tuple(one) for one in sums] == [
        ("auto", "none", "none", 1, 100, 10, 0, 0, 0, 0, 0.0, 0, 0.0),
        ("auto", "v/m", "mid", 2, 200, 20, 1200, 1200, 0, 2, 1.4, 2, 60.0),
        ("pair", "none", "none", 1, 100, 10, 0, 0, 0, 0, 0.0, 1, 5.0),
    ]
    assert references == [900, 300, 0, 0]


def test_a_chain_from_before_has_never_been_verified(migrated_to):
    engine = migrated_to("0009")
    with engine.begin() as connection:
        old = "INSERT INTO orgs (org, call_count, chain_length, chain_head, created_at) VALUES ('acme', 3, 3, 'h', 0)"
        connection.execute(text(old))
    with engine.begin() as connection:
        upgrade(connection)
        mark = connection.execute(
            text("SELECT verified_length, verified_head, fully_verified_at FROM orgs")
        ).one()
    assert tuple(mark) == (0, "0" * 64, None)
