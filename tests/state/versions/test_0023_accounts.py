from sqlalchemy import inspect, text

from x25.state.migrations.upgrade import upgrade


def test_nobody_has_an_account_at_first(migrated_to):
    engine = migrated_to("0019")
    with engine.begin() as connection:
        upgrade(connection)
        assert connection.execute(text("SELECT count(*) FROM accounts")).scalar() == 0
    assert {"accounts", "account_sessions"} <= set(inspect(engine).get_table_names())
    assert inspect(engine).get_unique_constraints("accounts")[0]["name"] == "accounts_name"
