import pytest

from x25.nodes.answer.best import best_answer
from x25.nodes.org import comparison
from x25.nodes.org.comparison import compare
from x25.state.usage import Usage


async def test_an_org_without_calls_is_compared_with_nothing(services):
    found = await compare(services, "nobody")
    assert (found.saved_share, found.quality, found.share_judged, found.choice_dependence) == (None,) * 4
    assert (found.single, found.frontier, found.counted_calls) == (None, None, 0)


async def test_single_models_cost_what_the_same_tokens_cost_on_them(walk, services):
    calls = [await walk("audit", hint=hint) for hint in ("qa", "code", "qa")]
    bought = [best_answer(call) for call in calls]
    found = await compare(services, "default")
    usages = [Usage.from_openai(one.usage) for one in bought]
    reference = services.reference
    assert found.frontier.model_id == reference.model_id
    assert found.frontier.cost_usd == pytest.approx(
        sum(reference.cost_nusd(one) for one in usages) / 1e9, abs=5e-9
    )
    paid_usd = sum(call.spent_nusd for call in calls) / 1e9
    assert (found.counted_calls, found.counted_paid_usd) == (3, pytest.approx(paid_usd))
    assert found.frontier.saved_usd == pytest.approx(found.frontier.cost_usd - paid_usd)
    assert found.saved_share.value == pytest.approx(1.0 - paid_usd / found.frontier.cost_usd, abs=1e-6)
    judged = sum(one.verdict.source == "judge" for one in bought)
    assert found.share_judged == pytest.approx(judged / 3)
    right = sum(one.verdict.belief.mean for one in bought) / 3
    assert found.believed.value == pytest.approx(right, abs=1e-6)
    assert found.frontier.quality_gain.value == pytest.approx(right - found.frontier.quality, abs=1e-6)
    if found.single is not None:
        assert found.single.cost_usd <= found.counted_paid_usd


def test_what_is_believed_of_a_model_is_as_unsure_over_many_kinds_of_task_as_over_one(services):
    # Nobody has seen it answer: a prior of a few observations, the same for each kind, is all there is.
    one, many = (
        comparison._single(
            services.reference, Usage(prompt_tokens=9, completion_tokens=9), dict.fromkeys(range(kinds), 1 / kinds),
            {kind: {} for kind in range(kinds)}, services.learner,
        )
        for kinds in (1, 9)
    )  # fmt: skip
    assert many.quality == pytest.approx(one.quality)
    assert many.quality_variance == pytest.approx(one.quality_variance)


async def test_over_all_orgs_no_model_is_believed_in(walk, services):
    await walk("audit")
    found = await compare(services, None)
    assert found.saved_share is not None
    assert (found.single, found.frontier) == (None, None)


async def test_a_model_is_believed_by_the_orgs_own_evidence(walk, services):
    await walk("audit")
    before = (await compare(services, "default")).frontier
    for n in range(60):  # half of what it answered was wrong
        await services.store.posteriors.add_evidence(
            "default", f"lesson-{n}", 0, task_cell="qa", model_id=before.model_id, tier="frontier",
            success=n % 2, failure=1 - n % 2, selection=(float(n % 2), before.quality), org_calls=n, gamma=1.0,
        )  # fmt: skip
    after = (await compare(services, "default")).frontier
    assert (after.model_id, after.cost_usd) == (before.model_id, before.cost_usd)
    assert 0.4 < after.quality < before.quality - 0.1
