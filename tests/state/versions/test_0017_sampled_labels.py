from importlib import import_module

from sqlalchemy import text

from x25.state.migrations.upgrade import upgrade

MIGRATION = import_module("x25.state.migrations.versions.0017_sampled_labels")

CALL = text(
    "INSERT INTO calls (org, call_id, created_at, status, task_type, task_cell, difficulty, cost_nusd,"
    " judge_cost_nusd, reference_cost_nusd, quality_source, latency_ms, cascade_steps, escalations, fallbacks,"
    " propensity, router, simulated, record_hash, audit_idx, decision) VALUES"
    " (:org, :call_id, :at, 'answered', 'qa', 'qa', 0, 1, 1, 1, 'judge', 1, 1, 0, 0, 1, 'auto', 0, '', :n, '{}')"
)
ARM = text(
    "INSERT INTO posteriors (org, task_cell, model_id, tier, successes, failures, reward_sum, predicted_sum, weight,"
    " calls_seen, updated_at, drifts, drifted_at)"
    " VALUES (:org, '*', :model_id, 'slm', 0, 0, 0, 0, 0, 9, 0, :drifts, :at)"
)

LABEL = (
    'INSERT INTO labels (org, call_id, step, source, "right", created_at)'
    " VALUES ('acme', 'c1', 0, 'audit', 1.0, 7)"
)


def test_this_follows_another_migration():
    assert MIGRATION.revision == "0017"
    assert MIGRATION.down_revision < "0017"


def test_an_arm_that_changed_before_is_dated_by_its_orgs_call_and_labels_stay(migrated_to):
    engine = migrated_to(MIGRATION.down_revision)
    with engine.begin() as connection:
        for org, start in (("acme", 1_000), ("other", 5_000)):
            for n in range(5):
                connection.execute(CALL, {"org": org, "call_id": f"c{n}", "at": start + n, "n": n})
        for model_id, drifts, at in (("v/changed", 1, 3), ("v/steady", 0, 0), ("v/gone", 2, 99)):
            connection.execute(ARM, {"org": "acme", "model_id": model_id, "drifts": drifts, "at": at})
        connection.execute(text(LABEL))
    with engine.begin() as connection:
        upgrade(connection)
        dated = connection.execute(
            text("SELECT model_id, drifted_on FROM posteriors ORDER BY model_id")
        ).all()
        kept = connection.execute(text("SELECT call_id, sampled_prob FROM labels")).all()
    assert [tuple(one) for one in dated] == [("v/changed", 1_003), ("v/gone", None), ("v/steady", None)]
    assert [tuple(one) for one in kept] == [("c1", None)]
