import json
from datetime import UTC, datetime

from pydantic import TypeAdapter

from x25.state.hits import CacheKeys, Hit, KeptAnswer

KEPT = KeptAnswer(
    {"role": "assistant", "content": "Paris"}, "stop", None, {"prompt_tokens": 3}, "v/m", "v", "mid", True, "qa", "qa",
    0.1, 0.9, {"score": 0.9}, 100,
)  # fmt: skip


def test_a_hit_is_the_same_after_it_was_json():
    hit = Hit("semantic", "c1", datetime(2026, 1, 1, tzinfo=UTC), KEPT, 0.97)
    kind = TypeAdapter(Hit)
    assert kind.validate_python(json.loads(kind.dump_json(hit))) == hit


def test_keys_look_for_an_answer_unless_they_say_otherwise():
    assert CacheKeys("a").is_read
    assert CacheKeys("a").hindrance is None
