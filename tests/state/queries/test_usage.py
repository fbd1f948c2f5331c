import pytest


@pytest.fixture
def answer(store, make_call, make_attempt):
    """Return a function that logs a call with one answer, and a judgement where one is asked for."""

    async def log(number, model_id="v/m", cost=2_000, *, org="acme", judged=False, **changes):
        call_id = f"c{number}"
        for kind, name in (("answer", model_id), ("judge", "j/one"))[: 1 + judged]:
            made = {
                "attempt_id": f"{org}{number}{kind}",
                "call_id": call_id,
                "org": org,
                "kind": kind,
                "model_id": name,
            }
            await store.attempts.start(make_attempt(**made))
            settled = {"status": "finished", "cost_nusd": cost, "prompt_tokens": 10 * number, **changes}
            await store.attempts.finish(make_attempt(**made, **settled))
        decision = {"optimize_for": {"cost": 1.0}}
        await store.calls.record(
            make_call(call_id=call_id, org=org, difficulty=float(number), decision=decision), {}
        )

    return log


async def test_models_are_counted_with_their_mean_cost_most_used_first(store, answer):
    await answer(1, "v/dear", 9_000, judged=True)
    await answer(2, cost=1_000)
    await answer(3, cost=3_000)
    await answer(4, status="failed")
    await answer(5, org="other")
    found = [
        (one.model_id, one.kind, one.requests, one.mean_cost_usd) for one in await store.usage.models("acme")
    ]
    assert found == [
        ("v/m", "answer", 2, pytest.approx(2e-6)), ("j/one", "judge", 1, pytest.approx(9e-6)),
        ("v/dear", "answer", 1, pytest.approx(9e-6)),
    ]  # fmt: skip


async def test_calls_tell_what_was_known_before_their_answer(store, answer):
    for number in (1, 2, 3):
        await answer(number, judged=True)
    found = await store.usage.newest_calls("acme", 2)
    assert [(one.difficulty, one.prompt_tokens) for one in found] == [(3.0, 30), (2.0, 20)]
    assert found[0].optimize_for == {"cost": 1.0}
    assert await store.usage.newest_calls("nobody") == []
