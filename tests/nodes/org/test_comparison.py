import pytest

from x25.nodes.answer.best import best_answer
from x25.nodes.org import comparison
from x25.nodes.org.comparison import compare
from x25.routing.belief.judge_table import DEFAULT_TABLE
from x25.state.queries.rollups import Predictions
from x25.state.records import Evidence
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


def single(services, cells, table=None, seen=None, predictions=None):
    """Return what is known of the reference model over some kinds of task that are equally frequent."""
    name = services.reference.model_id
    evidence = {} if seen is None else {name: seen}
    known = comparison._Known(
        dict.fromkeys(cells, 1 / len(cells)), dict.fromkeys(cells, evidence), predictions or Predictions(),
        services.learner, table,
    )  # fmt: skip
    return comparison._single(services.reference, Usage(prompt_tokens=9, completion_tokens=9), known)


def test_what_is_believed_of_a_model_is_as_unsure_over_many_kinds_of_task_as_over_one(services):
    # Nobody has seen it answer: a prior of a few observations, the same for each kind, is all there is.
    one, many = single(services, ["qa"]), single(services, ["qa", "code", "summary", "reasoning"])
    assert many.quality == pytest.approx(one.quality)
    assert many.quality_variance == pytest.approx(one.quality_variance)


def test_what_a_judge_said_leaves_a_model_less_sure_than_knowing_would(services):
    seen = Evidence("m", "qa", "frontier", 60.0, 40.0, reward_sum=60.0, predicted_sum=80.0, weight=100.0)
    known, judged = (single(services, ["qa"], table, seen) for table in (None, DEFAULT_TABLE))
    assert judged.quality == known.quality
    assert judged.quality_variance > 1.5 * known.quality_variance


def test_a_model_is_believed_as_predicted_at_all_prompts_not_at_those_it_was_asked_first(services):
    name, predictions = services.reference.model_id, Predictions()
    arms = {name: [2, 0.1, 0.93, 0.9, 30, 500, 90, 1.0], "other": [0, 0.9, 0.6, 0.6, 30, 500, 90, 1.0]}
    predictions.add("qa", {"arms": arms})
    predictions.add("qa", {"arms": {name: ["damaged"]}})
    # What it was asked was hard for it, and it did as well as was predicted there.
    seen = Evidence(name, "qa", "frontier", 5.0, 5.0, reward_sum=5.0, predicted_sum=5.0, weight=10.0)
    assert single(services, ["qa"], seen=seen, predictions=predictions).quality == pytest.approx(0.93)
    assert single(services, ["code"], seen=seen, predictions=predictions).quality == pytest.approx(0.93)


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
