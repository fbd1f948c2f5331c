from dataclasses import replace

import pytest

from x25.state.jobs import is_refit_due

JUDGED = {"first_verdict": {"source": "checks", "outcome": "failed_check", "bin": None, "score": 0.0}}


def test_no_count_but_the_listed_ones_makes_a_refit_due():
    due = [count for count in range(-1, 5_000) if is_refit_due(count)]
    assert due == [200, 500, 1_000, 2_000, 4_000]
    assert not is_refit_due(3_000)


async def test_an_org_without_calls_has_no_label_and_no_job(store):
    assert await store.jobs.labelled_count("nobody") == 0
    assert await store.jobs.list("nobody") == []


@pytest.mark.parametrize("source", ["checks", "judge"])
async def test_a_call_somebody_looked_at_is_counted_with_its_vector(store, make_call, source):
    seen = {"first_verdict": {**JUDGED["first_verdict"], "source": source}}
    await store.calls.record(make_call(decision=seen, inputs=b"\0\0"), {})
    await store.calls.record(replace(make_call(decision=seen), call_id="c2"), {})
    assert await store.jobs.labelled_count("acme") == 1
