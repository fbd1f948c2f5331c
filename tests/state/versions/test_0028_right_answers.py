from importlib import import_module

from sqlalchemy import text

from x25.state.migrations.upgrade import upgrade

MIGRATION = import_module("x25.state.migrations.versions.0028_right_answers")
CHOICE = """
INSERT INTO choice_sums (org, task_cell, model_id, total_calls, cost_nusd, judge_cost_nusd,
    reference_cost_nusd, judged, rated, prompt_tokens, cached_tokens, completion_tokens, counted_paid_nusd,
    counted_calls, quality, quality_sq, paid_sq, reference_sq, paid_reference)
   VALUES ('acme', 'qa', 'v/m', 3, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 2.0, 1.5, 0, 0, 0)
"""


def test_of_calls_from_before_it_is_not_known_how_likely_they_are_right(migrated_to):
    engine = migrated_to(MIGRATION.down_revision)
    with engine.begin() as connection:
        connection.execute(text(CHOICE))
    with engine.begin() as connection:
        upgrade(connection)
        assert connection.execute(text("SELECT count(believed) FROM day_sums")).scalar() == 0
        (found,) = connection.execute(text("SELECT rated, quality, believed, right_prob FROM choice_sums"))
    assert tuple(found) == (3, 2.0, 0, 0.0)
