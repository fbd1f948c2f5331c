from dataclasses import asdict, replace
from hashlib import sha256

import pytest

from x25.nodes.answer.best import best_answer
from x25.nodes.records.log_row import audit_record, call_row
from x25.routing.belief.org_model import unpack_inputs
from x25.routing.plan.configs import RouterConfig
from x25.state.answers import Failure, Verification
from x25.state.ceilings import Ceilings, Imposed
from x25.state.org_wishes import OrgWishes
from x25.state.working_memory import Transition


@pytest.fixture
async def call(walk_to_model):
    return await walk_to_model("update_posterior", prompt="a zeppelin of marmalade")


@pytest.fixture
def row_of(services):
    """Return a function that makes the log row of a call."""

    async def row(call, using=None, latency_ms=1.0):
        situation = await services.situations.of(call, using or services)
        return call_row(call, situation, using or services, best_answer(call), latency_ms)

    return row


def with_verdict(call, **changes):
    (answer,) = call.answers
    return replace(call, answers=(replace(answer, verdict=replace(answer.verdict, **changes)),))


async def test_the_row_tells_the_decision_the_answer_and_the_money(call, row_of):
    row = await row_of(call, latency_ms=12.5)
    assert (row.status, row.model_id, row.tier, row.latency_ms) == ("answered", "sim/tiny-1", "slm", 12.5)
    assert row.propensity == call.first_decision.propensity
    assert row.decision["difficulty"] == call.estimate.value
    spent = {one.kind: one.spent_nusd for one in call.answers[0].attempts}
    assert (row.cost_nusd, row.judge_cost_nusd) == (spent["answer"], spent["judge"])
    assert row.reference_cost_nusd > row.cost_nusd
    assert row.prompt is None


async def test_the_row_counts_answers_bought_climbs_and_fallbacks_apart(call, row_of):
    (answer,) = call.answers
    failed = replace(
        answer,
        message=None,
        verdict=None,
        failure=Failure("server", "ProviderServer", "no", 503),
        attempts=(),
    )
    start, _ = call.transitions
    more = tuple(Transition(kind, "", call.decision) for kind in ("fallback", "escalate", "fallback"))
    several = replace(
        call,
        answers=(failed, replace(answer, step=1), replace(failed, step=2), replace(answer, step=3)),
        transitions=(start, *more, Transition("stop", "")),
    )
    row = await row_of(several)
    assert (row.cascade_steps, row.escalations, row.fallbacks) == (2, 1, 2)


async def test_the_row_keeps_the_prompt_only_where_prompts_are_stored(call, row_of, services):
    keeping = replace(services, limits=replace(services.limits, store_prompts=True))
    assert (await row_of(call, keeping)).prompt == "a zeppelin of marmalade"


@pytest.fixture
def fail():
    """Return a function that makes of an answer one that never came."""
    failure = Failure("timeout", "ProviderTimeout", "slow")
    return lambda answer, **more: replace(answer, message=None, verdict=None, failure=failure, **more)


async def test_a_call_without_an_answer_replaced_nothing_and_lost_what_it_paid(call, row_of, fail):
    row = await row_of(replace(call, answers=(fail(call.answers[0]),)))
    assert (row.status, row.model_id, row.quality_source) == ("failed", None, "none")
    paid = sum(attempt.spent_nusd for attempt in call.answers[0].attempts)
    assert (row.reference_cost_nusd, row.saved_nusd) == (0, -paid)
    assert paid > 0


async def test_failed_requests_that_were_billed_and_judgements_are_no_saving(call, row_of, fail):
    (answer,) = call.answers
    asked, judged = answer.attempts
    lost = fail(answer, attempts=(replace(asked, status="failed", error="timeout", cost_nusd=40_000),))
    paid = (replace(asked, cost_nusd=3_000), replace(judged, cost_nusd=500))
    row = await row_of(replace(call, answers=(lost, replace(answer, step=1, attempts=paid))))
    assert (row.cost_nusd, row.judge_cost_nusd) == (43_000, 500)
    assert row.saved_nusd == row.reference_cost_nusd - 43_500
    assert row.reference_cost_nusd > 0


async def test_the_reference_is_a_frontier_model_whatever_the_router_chooses_among(
    walk_to_model, row_of, services
):
    routers = {"pair": RouterConfig("pair", models=("sim/tiny-1", "sim/medium-3"))}
    pair = replace(services, routers=routers)
    call = await walk_to_model("update_posterior", using=pair, router="pair")
    row, tokens = await row_of(call, pair), call.answers[0].usage
    for found, model_id in ((row.reference_cost_nusd, "sim/large-5"), (row.pool_cost_nusd, "sim/medium-3")):
        spec = services.spec(model_id)
        assert found == pytest.approx(
            1_000 * tokens["prompt_tokens"] * float(spec.input_usd_per_mtok)
            + 1_000 * tokens["completion_tokens"] * float(spec.output_usd_per_mtok),
            abs=1,
        )
    assert row.saved_nusd > row.pool_saved_nusd


async def test_a_router_that_chooses_among_all_models_has_one_reference(call, row_of):
    row = await row_of(call)
    assert (row.pool_cost_nusd, row.pool_saved_nusd) == (None, None)


async def test_the_record_holds_hashes_of_the_words_and_none_of_them(call, row_of):
    best = best_answer(call)
    record = audit_record(call, await row_of(call), best)
    assert record["prompt_sha256"] == sha256(b"a zeppelin of marmalade").hexdigest()
    assert record["answer"]["model_id"] == "sim/tiny-1"
    assert "zeppelin" not in str(record)
    assert best.message["content"] not in str(record)
    assert record["decision"].keys() == {
        "model_id", "tier", "propensity", "judge_prob", "explored", "strategy",
    }  # fmt: skip


async def test_the_row_keeps_what_a_refit_needs_and_no_word_of_the_prompt(call, row_of):
    row = await row_of(call)
    inputs = [*call.inputs.embedding, *call.inputs.features]
    assert unpack_inputs(row.inputs) == pytest.approx(inputs, rel=1e-3, abs=3e-3)
    verdict = call.answers[0].verdict
    assert row.decision["first_verdict"] == {
        "source": "judge", "outcome": "scored", "bin": verdict.observation.bin, "score": verdict.score,
        "judge_model": "sim/judge-1", "seen_prob": verdict.observation.seen_prob,
    }  # fmt: skip
    assert row.decision["memory_hit"] is False
    assert row.decision["verification"] is None
    assert "zeppelin" not in str(row.decision)


async def test_the_row_keeps_what_the_decision_was_made_from(call, row_of):
    decided = replace(call, selection=replace(call.selection, baseline_prob=0.75))
    decision = (await row_of(decided)).decision
    written = asdict(call.first_decision)
    del written["arm_probs"]  # stands with what else is known of each arm
    assert decision.items() >= written.items()
    assert set(decision["arms"]) == set(call.first_decision.arm_probs)
    assert (decision["baseline_prob"], decision["allowances"]) == (0.75, {})
    assert decision["optimize_for"] == call.optimize_for


async def test_with_the_setting_off_no_vector_is_kept(call, row_of, services):
    without = replace(services, limits=replace(services.limits, store_inputs=False))
    assert (await row_of(call, without)).inputs is None


async def test_a_fallbacks_answer_teaches_nothing_of_the_decided_model(call, row_of):
    (answer,) = call.answers
    other = replace(call, answers=(replace(answer, model_id="sim/other"),))
    assert (await row_of(other)).decision["first_verdict"] is None
    failed = replace(answer, message=None, verdict=None, failure=Failure("server", "ProviderServer", "no"))
    fell_back = replace(call, answers=(failed, replace(answer, step=1)))
    assert (await row_of(fell_back)).decision["first_verdict"] is None


async def test_an_answer_nobody_looked_at_further_is_kept_as_unseen(call, row_of):
    seen = replace(call.answers[0].verdict.observation, outcome="unseen", bin=None, score=None, is_due=False)
    kept = (await row_of(with_verdict(call, observation=seen, source="estimate"))).decision["first_verdict"]
    assert (kept["outcome"], kept["bin"], kept["seen_prob"]) == ("unseen", None, seen.seen_prob)


@pytest.mark.parametrize("outcome", ["failed_check", "scored"])
async def test_what_was_not_to_be_looked_at_anyway_teaches_no_refit(call, row_of, outcome):
    seen = replace(call.answers[0].verdict.observation, outcome=outcome, is_due=False)
    assert (await row_of(with_verdict(call, observation=seen))).decision["first_verdict"] is None


async def test_a_verifier_that_decided_about_the_judge_is_told_and_its_answer_teaches_nothing(call, row_of):
    verification = Verification(prob=0.9, bin=4, kept_share=0.2, decided=True, is_judged=False)
    decision = (await row_of(with_verdict(call, verification=verification))).decision
    assert decision["verification"] == asdict(verification)
    assert decision["first_verdict"] is None
    kept = (await row_of(with_verdict(call, verification=replace(verification, decided=False)))).decision
    assert kept["first_verdict"] is not None


async def test_the_chain_tells_what_key_and_org_added_and_nothing_where_they_did_not(call, row_of):
    best = best_answer(call)
    plainly = audit_record(call, await row_of(call), best)
    assert plainly.keys().isdisjoint({"imposed", "org_settings"})
    opening = replace(
        call.opening,
        imposed=(Imposed("key", Ceilings(day_nusd=10**12), "k1"),),
        wishes=OrgWishes(quality_bar=0.9),
    )
    ruled = replace(call, opening=opening)
    told = audit_record(ruled, await row_of(ruled), best)
    assert told["imposed"][0]["ceilings"]["day_nusd"] == 10**12
    assert told["org_settings"]["quality_bar"] == 0.9


async def test_what_an_org_lets_nobody_keep_is_not_kept(call, row_of, services):
    keeps = replace(services, limits=replace(services.limits, store_prompts=True))
    kept = {}
    for privacy in ("hashes", "inputs", "prompts", None):
        private = replace(call, opening=replace(call.opening, wishes=OrgWishes(privacy=privacy)))
        row = await row_of(private, keeps)
        kept[privacy] = (row.inputs is not None, row.prompt is not None)
    assert kept == {
        "hashes": (False, False), "inputs": (True, False), "prompts": (True, True), None: (True, True),
    }  # fmt: skip
