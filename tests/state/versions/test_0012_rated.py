from importlib import import_module

from sqlalchemy import text

from x25.state.migrations.upgrade import upgrade

MIGRATION = import_module("x25.state.migrations.versions.0012_rated")


def test_this_follows_another_migration():
    assert (MIGRATION.revision, MIGRATION.down_revision) == ("0012", "0011")


def test_estimates_of_calls_logged_before_are_in_the_sums(migrated_to):
    call = (
        "INSERT INTO calls (org, call_id, created_at, status, task_type, task_cell, difficulty, model_id, tier,"
        " cost_nusd, judge_cost_nusd, reference_cost_nusd, quality_score, quality_source, latency_ms, cascade_steps,"
        " escalations, fallbacks, propensity, router, simulated, record_hash, audit_idx, decision)"
        " VALUES ('acme', :call_id, 0, 'answered', 'qa', 'qa', 0, 'v/m', 'mid', 1, 1, 1, :quality, :source, 1, 1, 0, 0,"
        " 1, 'auto', 0, '', :n, '{}')"
    )
    engine = migrated_to("0009")
    with engine.begin() as connection:
        for n, (quality, source) in enumerate([(0.5, "judge"), (0.75, "estimate"), (None, "none")]):
            connection.execute(text(call), {"call_id": f"c{n}", "n": n, "quality": quality, "source": source})
    with engine.begin() as connection:
        upgrade(connection)
        assert connection.execute(text("SELECT rated, quality FROM call_sums")).all() == [(2, 1.25)]
