from dataclasses import replace
from decimal import Decimal

from x25.nodes.offers.arms import arms_of
from x25.providers.specs import ModelSpec
from x25.routing.plan.affinity import Author
from x25.state.answers import Answer

QUESTION = {"role": "user", "content": "And what is the capital of Norway? " * 50}
SAID = {"role": "assistant", "content": "The capital of Sweden is Stockholm."}


async def test_the_author_of_a_conversation_costs_less_by_what_its_vendor_keeps(walk_to_model, services):
    call = await walk_to_model("estimate_difficulty")
    call = replace(call, messages=[{"role": "user", "content": "Sweden's?"}, SAID, QUESTION])
    author = Author("sim/small-2", "slm")
    services.conversations.remember(call.org, call.messages[:1], SAID, author)
    specs: dict[str, ModelSpec] = {
        model_id: replace(spec, cached_input_usd_per_mtok=spec.input_usd_per_mtok / Decimal(10))
        for model_id, spec in services.models.items()
    }
    situation = await services.situations.of(call, services)

    def costs():
        arms = arms_of(specs, situation.extent, situation.policy, call, services)
        return {arm.model_id: (arm.expected_cost_nusd, arm.cached_share) for arm in arms}

    before = costs()
    assert {share for _, share in before.values()} == {0.0}
    usage = {"prompt_tokens": 1000, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 1000}}
    for _ in range(9):
        services.prompt_caches.note(
            call.org,
            author,
            Answer(0, author.model_id, "sim", "slm", simulated=True, predicted_prob=0.5, usage=usage),
        )
    after = costs()
    assert after.pop(author.model_id)[0] < before.pop(author.model_id)[0]
    assert after == before
