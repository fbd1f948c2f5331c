from dataclasses import replace

import pytest

from x25.nodes.answer.purchase import buy
from x25.nodes.records.attempts import Recording
from x25.state.errors import Unsupported


@pytest.fixture
async def purchase(walk_to_model, services):
    """Return a function that buys the decided model's answer of a call with these options, and says what was sent."""

    async def of(left_nusd=None, **request):
        call = replace(await walk_to_model("thompson_select", **request), answers=())
        situation = await services.situations.of(call, services)
        spec = situation.specs[call.decision.model_id]
        recording = Recording(services, call.org, call.call_id, 0, "answer", spec, 0, left_nusd=left_nusd)
        order, completion = await buy(call, situation, services, recording)
        (attempt,) = recording.made
        assert attempt.reserved_nusd == order.reserved_nusd
        assert completion.message["content"]
        return order, spec

    return of


async def test_one_limit_is_sent_under_the_callers_name(purchase):
    order, _ = await purchase(options={"max_completion_tokens": 30})
    assert (order.body["max_completion_tokens"], order.limit) == (30, 30)
    assert "max_tokens" not in order.body


async def test_a_dearer_class_of_service_is_reserved_for(purchase):
    usual, _ = await purchase(options={"max_tokens": 30})
    dear, _ = await purchase(options={"max_tokens": 30, "service_tier": "priority"})
    cheap, _ = await purchase(options={"max_tokens": 30, "service_tier": "flex"})
    assert 2 * usual.reserved_nusd <= dear.reserved_nusd < 3 * usual.reserved_nusd
    assert usual.reserved_nusd <= cheap.reserved_nusd < 2 * usual.reserved_nusd


async def test_a_model_that_takes_no_limit_is_reserved_for_in_full(purchase, services):
    for name in ("max_tokens", "max_completion_tokens"):
        refused = Unsupported("no", parameter=name)
        services.fitness.note("sim/tiny-1", refused, services.clock_s(), "default")
    order, spec = await purchase()
    assert not order.body.keys() & {"max_tokens", "max_completion_tokens"}
    assert order.limit == spec.max_output_tokens
    capped, _ = await purchase(left_nusd=50_000_000)
    assert "max_tokens" in capped.body


@pytest.mark.parametrize(
    ("setting", "policy", "hedged"),
    [(False, None, False), (True, None, True), (False, True, True), (True, False, False)],
)
async def test_a_request_says_whether_it_is_hedged_and_the_gateway_where_it_does_not(
    purchase, services, monkeypatch, setting, policy, hedged
):
    asked = []
    complete = services.gateway.complete

    async def watched(*given, **more):
        asked.append(more["hedged"])
        return await complete(*given, **more)

    monkeypatch.setattr(services.gateway, "complete", watched)
    object.__setattr__(services, "limits", replace(services.limits, hedge=setting))
    await purchase(policy={} if policy is None else {"hedge": policy})
    assert asked == [hedged]


async def test_a_vendor_without_the_parameter_is_asked_without_it_and_keeps_nothing_by_it(
    purchase, services, monkeypatch
):
    sent, complete = [], services.gateway.complete

    async def refusing(spec, body, **more):
        sent.append("store" in body)
        if "store" in body:
            error = Unsupported("no such parameter", parameter="store")
            services.fitness.note(spec.known_as, error, services.clock_s())
            raise error
        return await complete(spec, body, **more)

    monkeypatch.setattr(services.gateway, "complete", refusing)
    order, spec = await purchase(options={"store": False})
    assert (sent, "store" in order.body) == ([True, False], False)
    assert services.fitness.refuses(spec.known_as, "store", services.clock_s())
    await purchase(options={"store": False})
    assert sent[2:] == [False]  # and it is not ruled out for those that say so
    with pytest.raises(Unsupported):
        await purchase(options={"store": True})


async def test_a_vendor_that_does_not_know_developers_hears_them_as_the_system(
    purchase, services, monkeypatch
):
    sent, complete = [], services.gateway.complete

    async def refusing(spec, body, **more):
        sent.append([message["role"] for message in body["messages"]])
        if "developer" in sent[-1]:
            error = Unsupported("unknown role", parameter="developer")
            services.fitness.note(spec.known_as, error, services.clock_s(), more["org"])
            raise error
        return await complete(spec, body, **more)

    monkeypatch.setattr(services.gateway, "complete", refusing)
    said = [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": "Hi there!"}]
    await purchase(prompt=None, messages=said)
    await purchase(prompt=None, messages=said)
    assert sent == [["developer", "user"], ["system", "user"], ["system", "user"]]
