from datetime import UTC, datetime, timedelta

import pytest

from x25.state.learning.judged_answers import SeenAnswer

START = datetime(2026, 1, 1, tzinfo=UTC)


def seen(number=0, org="acme", step=0, **changes):
    given = {
        "org": org, "call_id": f"c{number}", "step": step, "created_at": START + timedelta(minutes=number),
        "task_cell": "qa", "model_id": "m", "tier": "slm", "features": b"\x00<", "features_id": "f",
        "prior_prob": 0.6, "score_bin": 3, "judge": "j",
    }  # fmt: skip
    return SeenAnswer(**{**given, **changes})


async def test_the_newest_come_back_oldest_first_and_whole(store):
    for number in range(5):
        assert await store.judged_answers.keep(seen(number))
    found = await store.judged_answers.newest("acme", 3)
    assert [one.seen for one in found] == [seen(number) for number in (2, 3, 4)]
    assert [(one.right, one.inputs) for one in found] == [(None, None)] * 3


async def test_an_answer_is_kept_once_and_the_first_stays(store):
    assert await store.judged_answers.keep(seen())
    assert not await store.judged_answers.keep(seen(score_bin=0))
    assert await store.judged_answers.keep(seen(step=1))
    assert [one.seen.score_bin for one in await store.judged_answers.newest("acme", 9)] == [3, 3]


async def test_what_people_said_of_an_answer_comes_with_it_and_so_does_the_prompts_vector(
    store, make_call, make_attempt
):
    await store.calls.record(make_call(call_id="c0", org="acme", inputs=b"\x01\x02"), {})
    await store.attempts.start(make_attempt(attempt_id="a0", call_id="c0", step=0))
    await store.attempts.finish(
        make_attempt(attempt_id="a0", call_id="c0", step=0, status="finished", cost_nusd=1)
    )
    await store.judged_answers.keep(seen())
    for source, right in (("feedback", 1.0), ("audit", 0.0), ("check", 0.5)):
        await store.labels.add("acme", "c0", right=right, source=source, edges=(0.2, 0.4, 0.6, 0.8), step=0)
    (found,) = await store.judged_answers.newest("acme", 9)
    assert (found.right, found.inputs) == (0.5, b"\x01\x02")


async def test_no_org_sees_anothers(store):
    await store.judged_answers.keep(seen())
    await store.judged_answers.keep(seen(org="other", model_id="theirs"))
    assert [one.seen.model_id for one in await store.judged_answers.newest("acme", 9)] == ["m"]


@pytest.mark.parametrize("org", ["acme", None])
async def test_what_was_kept_is_forgotten_with_the_prompts(store, org):
    for number in range(4):
        await store.judged_answers.keep(seen(number))
        await store.judged_answers.keep(seen(number, org="other"))
    await store.erasure.forget(org, START + timedelta(minutes=2))
    assert len(await store.judged_answers.newest("acme", 9)) == 2
    assert len(await store.judged_answers.newest("other", 9)) == (4 if org else 2)
