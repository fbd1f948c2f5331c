from sqlalchemy import inspect, text

from x25.state.migrations.upgrade import upgrade


def test_no_response_is_kept_at_first(migrated_to):
    engine = migrated_to("0024")
    with engine.begin() as connection:
        upgrade(connection)
        assert connection.scalar(text("SELECT count(*) FROM responses")) == 0
    assert inspect(engine).get_pk_constraint("responses")["constrained_columns"] == ["org", "call_id"]
    assert [one["name"] for one in inspect(engine).get_indexes("responses")] == ["responses_by_creation"]
