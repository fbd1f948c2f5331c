from datetime import UTC, datetime

import pytest
from sqlalchemy import create_engine, delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError, StatementError
from sqlalchemy.pool import StaticPool

from x25.state.money.attempts import OUTCOME, SETTLE
from x25.state.schema import attempts, calls, metadata, values_of
from x25.state.statements import Statement

NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)
RAW = text("SELECT *, typeof(decision) FROM calls")


@pytest.fixture
def connection():
    engine = create_engine("sqlite://", poolclass=StaticPool, hide_parameters=True)
    with engine.begin() as opened:
        metadata.create_all(opened)
        yield opened
    engine.dispose()


def test_rows_are_byte_for_byte_those_of_sqlalchemy(connection, make_call):
    row = values_of(make_call(decision={"b": 1, "a": "é"}, user_id="a\x00b", inputs=b"\x00\xff")) | {
        "audit_idx": 3,
        "prompt_sha256": None,
    }
    connection.execute(insert(calls), row)
    expected = connection.execute(RAW).all()
    connection.execute(delete(calls))
    assert Statement(insert(calls)).count(connection, row) == 1
    assert connection.execute(RAW).all() == expected


def test_update_sets_the_columns_it_names(connection, make_attempt):
    started = make_attempt()
    row = {name: getattr(started, name) for name in OUTCOME} | {
        "status": "failed", "error": "no\x00NUL", "finished_at": NOON, "response": {"b": 1, "a": 2},
        "this_attempt": "a1", "this_org": "acme",
    }  # fmt: skip
    connection.execute(insert(attempts), [values_of(started), values_of(make_attempt(attempt_id="a2"))])
    assert SETTLE.count(connection, row) == 1
    found = dict(connection.execute(select(attempts.c.attempt_id, attempts.c.error)).all())
    assert found == {"a1": "no\ufffdNUL", "a2": None}
    assert SETTLE.count(connection, row | {"this_org": "beta"}) == 0
    whole = connection.execute(select(attempts).where(attempts.c.attempt_id == "a1")).one()
    assert (whole.finished_at, whole.response) == (NOON, {"a": 2, "b": 1})


def test_what_a_clause_holds_itself_is_sent_with_it(connection, make_attempt):
    connection.execute(insert(attempts), [values_of(make_attempt(attempt_id=name)) for name in ("a1", "a2")])
    one = Statement(select(attempts.c.attempt_id, attempts.c.step).where(attempts.c.attempt_id == "a2"))
    assert one.rows(connection, {}) == [("a2", 0)]
    move = Statement(update(attempts).where(attempts.c.attempt_id == "a2"), ["step"])
    assert move.count(connection, {"step": 4}) == 1
    assert one.rows(connection, {}) == [("a2", 4)]


def test_refusal_is_sqlalchemys_and_tells_no_parameters(connection, make_attempt):
    start, row = Statement(insert(attempts)), values_of(make_attempt(call_id="secret"))
    start.count(connection, row)
    with pytest.raises(IntegrityError, match="UNIQUE") as refusal:
        start.count(connection, row)
    assert "secret" not in str(refusal.value)


def test_value_that_its_type_refuses_is_told_as_sqlalchemy_does(connection, make_attempt):
    row = values_of(make_attempt()) | {"started_at": datetime(2025, 1, 1)}  # noqa: DTZ001
    with pytest.raises(StatementError, match="with a time zone"):
        Statement(insert(attempts)).count(connection, row)
