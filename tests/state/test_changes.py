from sqlalchemy import create_engine

from x25.state.changes import note_change, taken_changes


def test_what_was_noted_is_taken_once():
    with create_engine("sqlite://").connect() as connection:
        for org in ("acme", "beta", "acme"):
            note_change(connection, org)
        assert set(taken_changes(connection)) == {"acme", "beta"}
        assert not taken_changes(connection)
