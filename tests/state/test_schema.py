import pytest

from x25.state import schema
from x25.state.api_key import ApiKey
from x25.state.records import Attempt, Call, Evidence


@pytest.mark.parametrize(
    ("table", "record"),
    [(schema.calls, Call), (schema.attempts, Attempt), (schema.posteriors, Evidence), (schema.keys, ApiKey)],
)
def test_every_field_of_a_record_has_its_column(table, record):
    columns = schema.columns_for(table, record)
    assert [column.name for column in columns] == list(record.__dataclass_fields__)
