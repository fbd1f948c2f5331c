"""Nouns as plain JSON: what the standard library makes of them, with lists for tuples."""

import json
from dataclasses import asdict

from x25.nodes.records.plain import plain
from x25.state.lessons import Lesson, Watch

LESSON = Lesson(
    step=0, model_id="m", tier="slm", task_cell="qa", success=0.25, failure=0.75, selection=(1.0, 0.5),
    watch=Watch(fast_gamma=0.9, return_hazard=0.01),
)  # fmt: skip


def test_a_noun_is_what_the_standard_library_makes_of_it_as_json():
    written = plain(LESSON)
    assert written == json.loads(json.dumps(asdict(LESSON)))
    assert written["selection"] == [1.0, 0.5]
    assert type(written["watch"]) is dict
