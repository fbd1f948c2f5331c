import pytest

from x25.state.learning.teaching import Teaching
from x25.state.lessons import Lesson, Watch


@pytest.fixture
def teaching(store):
    lessons = [
        Lesson(
            step=step, model_id="v/m", tier="mid", task_cell="qa", success=1.0, failure=0.0, selection=(1.0, 0.5),
            watch=Watch(fall=2.0, watched=1),
        )
        for step in range(3)
    ]  # fmt: skip
    return Teaching(
        posteriors=store.posteriors, org="acme", call_id="c1", lessons=lessons, gamma=1.0, keep=2.0,
        alarm=lambda pooled: {"kind": "drift", "model_id": "v/m"} if pooled.drift_down > 3.0 else None,
    )  # fmt: skip


async def taught(store, teaching, org_calls=0):
    await store.transact(lambda connection: teaching(connection, org_calls))
    (pooled,) = await store.posteriors.read_pooled("acme")
    return pooled


async def test_every_lesson_is_added_and_a_changed_arm_begins_anew_with_an_entry(store, teaching):
    pooled = await taught(store, teaching)
    assert (pooled.successes, pooled.drifts, pooled.drift_down) == (
        3.0,
        1,
        2.0,
    )  # the third came after the alarm
    (entry,) = await store.audit.tail("acme", 9)
    assert teaching.alarms == [entry.record] == [{"kind": "drift", "model_id": "v/m"}]


async def test_lessons_taught_before_change_nothing(store, teaching):
    once = await taught(store, teaching)
    assert await taught(store, teaching) == once
    assert teaching.alarms == []
