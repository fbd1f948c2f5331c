from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pytest

from x25.graph.build import RECURSION_LIMIT, build_cascade
from x25.nodes.offers.situation import Situation, Situations, derive_situation
from x25.providers.health import HealthBook
from x25.providers.windows import PriceWindow
from x25.routing.plan.configs import RouterConfig
from x25.routing.plan.policy import Policy
from x25.routing.prompt.tokens import bound_prompt
from x25.state.working_memory import Allowance


@pytest.fixture
def situated(walk, services):
    """Return a function that walks a request to its estimate; what comes back is the call and its situation."""

    async def derived(using=None, **request) -> tuple[object, Situation]:
        chosen = using or services
        call = await walk("estimate_difficulty", chosen, **request)
        return call, await derive_situation(call, chosen)

    return derived


def arm_of(situation, model_id):
    (arm,) = [arm for arm in situation.arms if arm.model_id == model_id]
    return arm


# who may be asked, at which price


async def test_every_model_of_the_router_becomes_an_arm_with_its_price(situated, services):
    call, situation = await situated(options={"max_tokens": 10})
    assert {arm.model_id for arm in situation.arms} == services.models.keys()
    arm, spec = arm_of(situation, "sim/large-5"), services.spec("sim/large-5")
    assert arm.expected_cost_nusd == spec.expected_cost_nusd(call.task.prompt_tokens, 10)
    assert arm.completion_prob == call.estimate.completion_probs["sim/large-5"]


async def test_under_a_cap_the_prompt_is_priced_at_the_most_it_can_have(situated, services):
    call, situation = await situated(policy={"max_cost_per_call_usd": 1.0})
    bound = bound_prompt(call.messages, call.options)
    assert bound == situation.extent.prompt_bound
    assert bound.tokens > call.task.prompt_tokens == situation.extent.prompt_tokens
    arm, spec = arm_of(situation, "sim/tiny-1"), services.spec("sim/tiny-1")
    assert arm.expected_cost_nusd == spec.expected_cost_nusd(call.task.prompt_tokens, 1024)
    assert arm.capped_cost_nusd == spec.bound_cost_nusd(bound.tokens, spec.expected_output_tokens)
    _, unbound = await situated()
    assert arm_of(unbound, "sim/tiny-1").capped_cost_nusd is None


async def test_a_request_is_offered_to_models_that_can_do_what_it_needs(situated, services):
    able = replace(services.spec("sim/large-5"), modalities=frozenset({"text", "image"}))
    plain = replace(services.spec("sim/tiny-1"), capabilities=frozenset())
    some = replace(services, models=services.models | {"sim/large-5": able, "sim/tiny-1": plain})
    photo = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    _, situation = await situated(some, messages=[{"role": "user", "content": [photo]}], prompt=None)
    assert [arm.model_id for arm in situation.offers().arms] == ["sim/large-5"]
    assert situation.offers().removed["sim/tiny-1"].startswith("image: asked for by")
    tool = {"type": "function", "function": {"name": "f"}}
    _, situation = await situated(some, options={"tools": [tool]})
    assert situation.offers().removed == {
        "sim/tiny-1": "tools: asked for by options.tools, and not among its capabilities"
    }


SOUND = [
    {"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}]}
]


@pytest.mark.parametrize("policy", [{"max_cost_per_call_usd": 1.0}, {"budget_usd_per_day": 5.0}])
async def test_sound_of_no_known_price_is_not_sent_where_money_is_bounded(situated, services, policy):
    reads = frozenset({"text", "audio"})
    hearing = replace(services.spec("sim/large-5"), modalities=reads)
    priced = replace(services.spec("sim/tiny-1"), modalities=reads, audio_input_usd_per_mtok=Decimal(1))
    some = replace(services, models={"sim/large-5": hearing, "sim/tiny-1": priced})
    _, situation = await situated(some, messages=SOUND, prompt=None)
    assert len(situation.offers().arms) == 2
    _, situation = await situated(some, messages=SOUND, prompt=None, policy=policy)
    assert [arm.model_id for arm in situation.offers().arms] == ["sim/tiny-1"]
    assert situation.offers().removed["sim/large-5"].startswith("audio: no prices.audio_input_usd_per_mtok")


async def test_what_is_left_under_the_cap_is_what_was_not_spent(situated):
    _, capped = await situated(policy={"max_cost_per_call_usd": 0.001})
    assert capped.left_nusd(350_000) == 650_000
    _, free = await situated()
    assert free.left_nusd(350_000) is None


async def test_what_was_spent_makes_dear_models_ineligible(situated):
    _, situation = await situated(policy={"max_cost_per_call_usd": 0.002})
    assert len(situation.offers().arms) == 6
    offers = situation.offers(1_900_000)
    tiers = {arm.tier for arm in offers.arms}
    assert tiers == {"slm", "mid"} - ({"mid"} if "sim/medium-3" in offers.removed else set())
    assert offers.removed["sim/xlarge-6"].startswith("max_cost_per_call_usd:")


async def test_models_that_failed_are_removed_by_that(situated):
    _, situation = await situated()
    offers = situation.offers(failed=frozenset({"sim/tiny-1"}))
    assert offers.removed == {"sim/tiny-1": "failed earlier in this call"}
    assert "sim/tiny-1" not in {arm.model_id for arm in offers.arms}


@pytest.mark.parametrize("kind", ["image_url", "input_image"])
async def test_an_image_leaves_only_models_that_see(situated, kind):
    message = {
        "role": "user",
        "content": [{"type": "text", "text": "what?"}, {"type": kind, "image_url": {"url": "data:"}}],
    }
    offers = (await situated(prompt=None, messages=[message]))[1].offers()
    assert offers.arms == ()
    assert set(offers.removed.values()) == {
        "image: asked for by a part of the messages (image), and not among its modalities"
    }


async def test_a_prompt_that_fits_no_window_leaves_nobody(situated):
    offers = (await situated(prompt="word " * 200_000))[1].offers()
    assert offers.arms == ()
    assert all(sentence.startswith("context length:") for sentence in offers.removed.values())


async def test_arms_report_what_their_models_read(situated):
    _, situation = await situated()
    assert {arm.modalities for arm in situation.arms} == {frozenset({"text"})}


async def test_everything_costs_what_this_moment_costs(walk, services):
    spec = services.spec("sim/large-5")
    double = PriceWindow(60, 240, "UTC", output_usd_per_mtok=spec.output_usd_per_mtok * 2)
    models = {**services.models, spec.model_id: replace(spec, price_windows=(double,))}
    assert services.reference.model_id == spec.model_id
    call = await walk("estimate_difficulty")
    costs, references = {}, {}
    for hour in (0, 1, 3, 4):
        at = replace(
            services,
            models=models,
            reference=models[spec.model_id],
            now=lambda hour=hour: datetime(2026, 11, 20, hour, tzinfo=UTC),
        )
        situation = await derive_situation(call, at)
        costs[hour] = arm_of(situation, spec.model_id).expected_cost_nusd
        references[hour] = situation.terms.reference_cost_nusd
        assert situation.specs[spec.model_id] == at.spec(spec.model_id)
    usual = spec.expected_cost_nusd(call.task.prompt_tokens, 1024)
    assert costs[0] == costs[4] == usual
    assert costs[1] == costs[3] > usual
    assert references[0] == references[4] < references[1] == references[3]


async def test_a_router_whose_models_nobody_can_reach_says_so(situated, services):
    routers = {"mine": RouterConfig("mine", models=("acme/best", "sim/tiny-1"))}
    _, situation = await situated(replace(services, routers=routers), router="mine")
    offers = situation.offers()
    assert [arm.model_id for arm in offers.arms] == ["sim/tiny-1"]
    assert offers.removed == {"acme/best": "named by the router, but no key or local server opens it here "
                              "(x25 models says what would)"}  # fmt: skip


@pytest.mark.slow
async def test_a_degraded_provider_gets_less_traffic_before_it_fails_hard(walk, services):
    """Two models alike in all but price; the cheaper one's deployment answers a falling share of requests."""
    cheap = services.spec("sim/medium-3")
    other = replace(cheap, model_id="sim/other", output_usd_per_mtok=cheap.output_usd_per_mtok * 2)
    shares = []
    for failures in (0, 2, 5, 10, 20):
        health = HealthBook()
        for request in range(40):
            fails = request * failures % 40 < failures
            latency_ms = None if fails else cheap.expected_latency_ms
            health.note("sim/medium-3", "simulator", latency_ms, 0.0, f"org-{request * failures // 40 % 2}")
        pair = replace(services, models={"sim/medium-3": cheap, "sim/other": other}, health=health)
        pair = replace(pair, clock_s=lambda: 0.0, rng=np.random.default_rng(7))
        chosen = [(await walk("thompson_select", pair)).decision.model_id for _ in range(150)]
        shares.append(chosen.count("sim/medium-3") / len(chosen))
    assert shares == sorted(shares, reverse=True), shares
    assert shares[0] > 0.3
    assert shares[-1] < shares[0] / 4
    assert 0.0 < shares[2] < shares[0]


# what a decision is made under


async def test_savings_have_a_frontier_reference_where_the_plan_is_priced_by_a_smaller_pool(
    situated, services
):
    routers = {"pair": RouterConfig("pair", models=("sim/tiny-1", "sim/medium-3"))}
    call, situation = await situated(replace(services, routers=routers), router="pair")
    assert situation.reference.model_id == "sim/large-5"
    assert situation.pool_dearest.model_id == "sim/medium-3"
    assert situation.terms.reference_cost_nusd == services.spec("sim/tiny-1").expected_cost_nusd(
        call.task.prompt_tokens
    )


async def test_the_reference_costs_what_its_typical_answer_costs(situated, services):
    call, situation = await situated()
    assert situation.terms.reference_cost_nusd == services.reference.expected_cost_nusd(
        call.task.prompt_tokens
    )
    assert situation.terms.reference_latency_ms == services.reference.expected_latency_ms


async def test_a_plan_counts_on_no_judge_that_the_policy_rules_out(situated):
    for policy, is_judged in (({"allowed_providers": ["sim-a", "sim-e"]}, False),
                              ({"allowed_providers": ["sim-a", "sim-judge"]}, True)):  # fmt: skip
        _, situation = await situated(policy=policy)
        assert (situation.judge is not None, situation.terms.table is not None) == (is_judged, is_judged)
        assert (situation.terms.prices.judge_cost > 0) is is_judged


async def test_a_judgement_has_a_price_only_where_somebody_judges(situated, services):
    _, judged = await situated()
    assert judged.terms.prices.judge_cost > 0
    assert judged.terms.table is services.judge_table
    _, alone = await situated(replace(services, judge=None))
    assert alone.terms.prices.judge_cost == 0
    assert alone.terms.table is None


async def test_weights_become_prices(situated):
    async def prices(cost, quality, latency):
        weights = {"cost": cost, "quality": quality, "latency": latency}
        return (await situated(optimize_for=weights))[1].terms.prices

    cheap, good, fast = await prices(0.7, 0.2, 0.1), await prices(0.1, 0.8, 0.1), await prices(0.1, 0.2, 0.7)
    assert cheap.quality_price > good.quality_price
    assert fast.latency_price > cheap.latency_price
    assert cheap.judge_cost == good.judge_cost > 0


async def test_the_callers_bar_and_judged_share_reach_the_terms(situated, services):
    _, usual = await situated()
    assert usual.terms.prices.quality_bar is None
    assert usual.terms.audit_rate == services.routers["auto"].audit_rate
    _, asked = await situated(policy={"quality_bar": 0.9, "judged_share": 0.3})
    assert (asked.terms.prices.quality_bar, asked.terms.audit_rate) == (0.9, 0.3)


async def test_labels_of_the_orgs_judge_are_read_into_the_terms(situated, label_scores):
    await label_scores((0, 0, 0, 0, 500), (500, 0, 0, 0, 0), org="acme")
    _, labelled = await situated(org="acme")
    _, other = await situated(org="other")
    assert labelled.terms.table.auc > other.terms.table.auc


# once a call


async def test_a_call_is_situated_once_and_offers_are_kept_while_nothing_happens(walk, services):
    situations = Situations()
    call = await walk("dispatch", router="x25-classic")
    situation = await situations.of(call, services)
    assert await situations.of(call, services) is situation
    assert situation.offers(call.spent_nusd) is situation.offers(call.spent_nusd)
    assert len(situations) == 1


async def test_offers_are_worked_out_again_when_money_was_spent_or_a_model_failed(situated):
    _, situation = await situated(policy={"max_cost_per_call_usd": 0.002})
    first = situation.offers()
    spent, failed = situation.offers(1_900_000), situation.offers(0, frozenset({"sim/tiny-1"}))
    assert len({id(one) for one in (first, spent, failed)}) == 3
    assert len(spent.arms) < len(first.arms) > len(failed.arms)


CHANGES = {
    "messages": {"messages": [{"role": "user", "content": "something else"}]},
    "options": {"options": {"max_tokens": 3}},
    "policy": {"policy": {"max_tier": "mid"}},
    "router": {"router": "x25-classic"},
    "weights": {"optimize_for": {"cost": 1.0, "quality": 0.0, "latency": 0.0}},
}


@pytest.mark.parametrize("name", [*CHANGES, "task", "estimate", "bound on escalations"])
async def test_a_situation_is_derived_anew_when_what_it_rests_on_was_edited(walk, services, name):
    situations, call = Situations(), await walk("thompson_select")
    before = await situations.of(call, services)
    probs = dict.fromkeys(call.estimate.completion_probs, 0.5)
    edits = {
        **CHANGES,
        "task": {"task": replace(call.task, prompt_tokens=9_999)},
        "estimate": {"estimate": replace(call.estimate, completion_probs=probs)},
        "bound on escalations": {"opening": replace(call.opening, max_escalations=1)},
    }
    edited = replace(call, **edits[name])
    after = await situations.of(edited, services)
    assert after is not before
    assert after == await derive_situation(edited, services)
    assert await situations.of(edited, services) is after


async def test_what_a_call_brings_derives_nothing_anew(walk, services):
    situations, opened = Situations(), await walk("thompson_select", router="x25-classic")
    situation = await situations.of(opened, services)
    later = await walk("update_posterior", call_id=opened.call_id, router="x25-classic")
    later = replace(later, opening=opened.opening)
    assert later.answers
    assert len(later.transitions) > len(opened.transitions)
    assert await situations.of(later, services) is situation


class Watched(Situations):
    """Situations that remember what they handed out."""

    def __init__(self):
        super().__init__()
        self.handed_out = []

    async def of(self, call, services):
        self.handed_out.append(await super().of(call, services))
        return self.handed_out[-1]


async def test_a_whole_call_with_an_escalation_is_situated_once_and_its_policy_read_once(
    services, teach, fault, monkeypatch
):
    parsed, parse = [], Policy.parse
    monkeypatch.setattr(Policy, "parse", lambda given: parsed.append(given) or parse(given))
    await teach(services.store, "slm")
    fault("empty", "sim/tiny-*", "sim/small-*")
    watched = Watched()
    cascade = build_cascade(replace(services, situations=watched)).compile()
    request = {
        "prompt": "What is 2 plus 2?",
        "hint": "qa",
        "router": "x25-classic",
        "policy": {"max_tier": "mid"},
    }
    reply = await cascade.ainvoke(request, {"recursion_limit": RECURSION_LIMIT})
    assert (reply["escalations"], reply["cascade_steps"]) == (1, 2)
    asked = ("thompson_select", "dispatch", "judge", "dispatch", "judge", "audit")
    assert len(watched.handed_out) == len(asked)
    assert len({id(situation) for situation in watched.handed_out}) == 1
    assert parsed == [{"max_tier": "mid"}] * 2  # when the request was checked, and here
    assert len(watched) == 0


async def test_two_calls_and_two_orgs_have_situations_of_their_own(walk, services):
    situations, call = Situations(), await walk("estimate_difficulty")
    others = [call, replace(call, call_id="another"), replace(call, org="another")]
    assert len({id(await situations.of(one, services)) for one in others}) == 3


async def test_an_ended_call_is_forgotten_and_the_oldest_make_room(walk, services):
    situations, call = Situations(most_calls=2), await walk("estimate_difficulty")
    calls = [replace(call, call_id=f"call-{number}") for number in range(3)]
    oldest, *_ = [await situations.of(one, services) for one in calls]
    assert len(situations) == 2
    assert await situations.of(calls[0], services) is not oldest
    situations.forget(call.org, "call-0")
    situations.forget(call.org, "never heard of")
    assert len(situations) == 1


async def test_a_decided_calls_budgets_stand_as_its_first_decision_saw_them(walk, services):
    call = await walk("thompson_select", policy={"budget_usd_per_call": 0.05})
    tight = {"budget_usd_per_call": Allowance(multiplier=3.0, left_usd=1e-9, call_usd=0.05)}
    decided = replace(call, selection=replace(call.selection, allowances=tight))
    situation = await derive_situation(decided, services)
    assert situation.allowances == tight
    assert len(situation.offers().arms) == 1
