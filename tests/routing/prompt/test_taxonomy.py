import re
from typing import get_args

from x25.routing.prompt import taxonomy
from x25.routing.prompt.taxonomy import (
    EIGHT_TYPES,
    KIND_TO_EIGHT,
    KIND_TO_TASK,
    KINDS,
    SEVEN_TO_EIGHT,
    EightType,
)
from x25.state.types import TASK_TYPES


def test_every_kind_has_a_place_in_both_taxonomies_and_no_place_is_empty():
    assert set(KIND_TO_TASK) == set(KIND_TO_EIGHT) == set(KINDS)
    assert set(KIND_TO_TASK.values()) == set(SEVEN_TO_EIGHT) == set(TASK_TYPES)
    assert set(KIND_TO_EIGHT.values()) == set(EIGHT_TYPES) == set(get_args(EightType))


def test_each_task_type_is_the_name_of_its_plainest_kind():
    assert all(KIND_TO_TASK[task_type] == task_type for task_type in TASK_TYPES)


def test_the_documented_table_is_the_mapping():
    rows = re.findall(r"^\| (\w+) +\| (\w+) +\| (\w+) +\|", taxonomy.__doc__, re.MULTILINE)
    assert rows == [(kind, KIND_TO_TASK[kind], KIND_TO_EIGHT[kind]) for kind, *_ in rows]
    assert {kind for kind, *_ in rows} == set(KINDS)
