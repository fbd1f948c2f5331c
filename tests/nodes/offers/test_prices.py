from dataclasses import replace

from x25.nodes.offers.prices import judge_cost_nusd, judge_table, plan_prices, reference_cost_nusd


async def test_the_reference_costs_what_its_typical_answer_costs(walk, services):
    state = await walk("estimate_difficulty")
    assert reference_cost_nusd(state, services) == services.reference.expected_cost_nusd(
        state["prompt_tokens"]
    )


async def test_a_judgement_has_a_price_only_where_somebody_judges(walk, services):
    state = await walk("estimate_difficulty")
    assert judge_cost_nusd(state, services) > 0
    assert judge_table(state, services) is services.judge_table
    alone = replace(services, judge=None)
    assert judge_cost_nusd(state, alone) == 0
    assert judge_table(state, alone) is None
    assert plan_prices(state, alone).judge_cost == 0


async def test_weights_become_prices(walk, services):
    cheap = plan_prices(
        await walk("estimate_difficulty", optimize_for={"cost": 0.7, "quality": 0.2, "latency": 0.1}),
        services,
    )
    good = plan_prices(
        await walk("estimate_difficulty", optimize_for={"cost": 0.1, "quality": 0.8, "latency": 0.1}),
        services,
    )
    fast = plan_prices(
        await walk("estimate_difficulty", optimize_for={"cost": 0.1, "quality": 0.2, "latency": 0.7}),
        services,
    )
    assert cheap.quality_price > good.quality_price
    assert fast.latency_price > cheap.latency_price
    assert cheap.judge_cost == good.judge_cost > 0


async def test_the_callers_bar_reaches_the_plan(walk, services):
    assert plan_prices(await walk("estimate_difficulty"), services).quality_bar is None
    state = await walk("estimate_difficulty", policy={"quality_bar": 0.9})
    assert plan_prices(state, services).quality_bar == 0.9
