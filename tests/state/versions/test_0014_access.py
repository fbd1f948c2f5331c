from importlib import import_module

from sqlalchemy import text

from x25.state.migrations.upgrade import upgrade

MIGRATION = import_module("x25.state.migrations.versions.0014_access")
CALL = """
INSERT INTO calls (org, call_id, created_at, status, task_type, task_cell, difficulty, model_id, tier, cost_nusd,
    judge_cost_nusd, reference_cost_nusd, quality_score, quality_source, latency_ms, cascade_steps, escalations,
    fallbacks, propensity, router, simulated, record_hash, audit_idx, decision)
VALUES ('acme', '{call_id}', {at}, '{status}', 'qa', 'qa', 0, {model}, {tier}, 2000000000, 1000000000, 9000000000,
    {quality}, '{source}', 20.0, 1, 0, 0, 1, 'auto', 0, '', {n}, '{{}}')
"""
DAY = 86_400 * 1_000_000
CALLS = (
    {"at": 0, "status": "answered", "model": "'v/m'", "tier": "'mid'", "quality": 0.5, "source": "judge"},
    {
        "at": DAY - 1,
        "status": "answered",
        "model": "'v/m'",
        "tier": "'mid'",
        "quality": 1.0,
        "source": "estimate",
    },
    {
        "at": DAY,
        "status": "interrupted",
        "model": "NULL",
        "tier": "NULL",
        "quality": "NULL",
        "source": "none",
    },
)


def test_this_follows_another_migration():
    assert (MIGRATION.revision, MIGRATION.down_revision) == ("0014", "0013")


def test_an_old_key_goes_on_as_it_was_and_is_a_family_of_its_own(migrated_to):
    engine = migrated_to("0013")
    with engine.begin() as connection:
        old = "INSERT INTO keys (key_id, org, key_hash, created_at, rate_limit_rpm) VALUES ('k1', 'acme', 'h', 0, 7)"
        connection.execute(text(old))
    with engine.begin() as connection:
        upgrade(connection)
        row = connection.execute(text(
            "SELECT rate_limit_rpm, family, prefix, scopes, expires_at, last_used_at, day_nusd FROM keys"
        )).one()  # fmt: skip
    assert tuple(row) == (7, "k1", "", "call read feedback", None, None, None)


def test_calls_logged_before_are_in_the_sums_by_day_and_by_kind_of_task(migrated_to):
    engine = migrated_to("0013")
    with engine.begin() as connection:
        for n, call in enumerate(CALLS):
            connection.execute(text(CALL.format(call_id=f"c{n}", n=n, **call)))
    with engine.begin() as connection:
        upgrade(connection)
        days = connection.execute(text(
            "SELECT day, model_id, tier, total_calls, cost_nusd, judged, rated, timed, quality, latency_ms"
            " FROM day_sums ORDER BY day"
        )).all()  # fmt: skip
        choices = connection.execute(text(
            "SELECT task_cell, model_id, total_calls, judged, quality, quality_sq, paid_sq, paid_reference,"
            " counted_calls FROM choice_sums ORDER BY model_id"
        )).all()  # fmt: skip
    assert [tuple(one) for one in days] == [
        ("1970-01-01", "v/m", "mid", 2, 4 * 10**9, 1, 2, 2, 1.5, 40.0),
        ("1970-01-02", "none", "none", 1, 2 * 10**9, 0, 0, 0, 0.0, 0.0),
    ]
    assert [tuple(one) for one in choices] == [
        ("qa", "none", 1, 0, 0.0, 0.0, 9.0, 27.0, 0), ("qa", "v/m", 2, 1, 1.5, 1.25, 18.0, 54.0, 0),
    ]  # fmt: skip
