"""What a caller may say of routing: every limit holds on the first answer, on climbs and on failures."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise

import httpx
import pytest

from x25.simulator.process import SimulatorProcess
from x25.simulator.tasks import generate

PROMPTS = [task.prompt for task in generate(5, 24)]


@contextmanager
def asking(url: str, org: str) -> Iterator[Callable[..., dict]]:
    with httpx.Client(base_url=url, timeout=30) as http:

        def post(prompt: str, *, status: int = 200, **steering: object) -> dict:
            answer = http.post("/route", json={"prompt": prompt, "org": org, **steering})
            assert answer.status_code == status, answer.text
            return answer.json()

        yield post


@pytest.fixture
def ask(gateway, org: str) -> Iterator[Callable[..., dict]]:
    with asking(gateway.url, org) as post:
        yield post


def tiers(ask: Callable[..., dict], **hints: object) -> Counter[str]:
    return Counter(ask(prompt, routing_hints=hints)["tier"] for prompt in PROMPTS)


def asked_of(simulator: SimulatorProcess, before: int) -> set[str]:
    return {bill["model"] for bill in simulator.bills()[before:]}


def height(tier_to_calls: Counter[str]) -> int:
    return 2 * tier_to_calls["frontier"] + tier_to_calls["mid"]


def test_a_dial_and_modes_shift_the_tiers(start_gateway, org: str) -> None:
    # Other tests' faults are in the shared gateway's memory of what is well, and would shift them too.
    with asking(start_gateway().url, org) as ask:
        assert height(tiers(ask, mode="quality")) > height(tiers(ask, mode="cost_optimized"))
        assert tiers(ask, preference_dial=0.0)["frontier"] <= tiers(ask, preference_dial=1.0)["frontier"]


def test_less_than_half_a_second_is_for_the_fastest_tier(ask) -> None:
    assert tiers(ask, max_latency_ms=499) == {"slm": len(PROMPTS)}


def test_a_highest_tier_holds_whatever_fails(ask, simulator, fault) -> None:
    fault("500", "sim/medium-*", "sim/tiny-1")
    before = len(simulator.bills())
    found = {
        ask(prompt, routing_hints={"max_tier": "T2", "mode": "quality"})["model_used"] for prompt in PROMPTS
    }
    assert found == {"sim/small-2"}
    assert asked_of(simulator, before) <= {"sim/small-2", "sim/judge-1"}


def test_a_price_limit_binds_the_judge_too(ask, simulator) -> None:
    before = len(simulator.bills())
    dearest = 0.5e-6
    for prompt in PROMPTS[:8]:
        said = ask(
            prompt,
            routing_hints={"max_cost_per_token": dearest, "mode": "quality"},
            policy={"judged_share": 1.0},
        )
        assert said["judge_cost_usd"] == 0
    assert asked_of(simulator, before) <= {"sim/tiny-1", "sim/small-2"}


def test_no_paid_model_is_called_where_only_free_ones_may_be(ask, simulator) -> None:
    before = len(simulator.bills())
    refused = ask("hi", status=422, routing_hints={"mode": "free_models_only"})["error"]
    assert refused["code"] == "no_eligible_model"
    assert len(simulator.bills()) == before


@pytest.mark.parametrize(
    ("complexity", "allowed"),
    [
        ("trivial", {"slm"}),
        ("standard", {"slm", "mid"}),
        ("complex", {"mid", "frontier"}),
        ("expert", {"frontier"}),
    ],
)
def test_a_named_complexity_begins_in_its_tiers(ask, complexity: str, allowed: set[str]) -> None:
    for prompt in PROMPTS[:8]:
        said = ask(prompt, routing_hints={"task_complexity": complexity})
        first = said["model_used"] if said["cascade_steps"] == 1 else None
        assert first is None or said["tier"] in allowed


def test_an_override_is_asked_first_and_others_when_it_fails(ask, fault) -> None:
    said = ask("hi", routing_override={"model": "sim/medium-3"}, routing_hints={"task_complexity": "trivial"})
    assert (said["model_used"], said["cascade_steps"]) == ("sim/medium-3", 1)
    fault("500", "sim/medium-3")
    failed_over = ask("hi", routing_override={"model": "sim/medium-3"})
    assert failed_over["model_used"] != "sim/medium-3"
    assert failed_over["fallbacks"] >= 1


def test_a_model_named_outright_fails_where_it_fails(ask, fault) -> None:
    fault("500", "sim/medium-3")
    assert ask("hi", status=502, router="sim/medium-3")["error"]["code"] == "call_failed"


@pytest.mark.parametrize(
    "limit",
    [
        {"max_tier": "T3"},
        {"max_cost_per_token": 1e-9},
        {"mode": "free_models_only"},
        {"required_capabilities": ["vision"]},
    ],
)
@pytest.mark.parametrize(
    "direct", [{"routing_override": {"model": "sim/large-5"}}, {"router": "sim/large-5"}]
)
def test_no_limit_is_overridden(ask, simulator, limit, direct) -> None:
    before = len(simulator.bills())
    refused = ask("hi", status=422, routing_hints=limit, **direct)["error"]
    assert refused["code"] == "no_eligible_model"
    assert len(simulator.bills()) == before


def left_in_chain(ask, **hints) -> list[tuple[str, str]]:
    """Return the models that a chain of calls went on from and to, where it went on with another."""
    replies = [ask(PROMPTS[0], routing_hints={**hints, "task_complexity": "complex"})]
    replies += [ask(prompt, routing_hints=hints) for prompt in PROMPTS[1:8]]
    # A poor answer may be climbed from: then the chain goes on with who gave the better one.
    return [
        (before["model_used"], after["model_used"])
        for before, after in pairwise(replies)
        if after["cascade_steps"] == 1 and after["model_used"] != before["model_used"]
    ]


def test_a_sticky_chain_goes_on_with_its_model(ask) -> None:
    assert left_in_chain(ask, chain_routing="sticky", chain_id="c-1") == []


def test_a_mixed_chain_may_go_on_with_another(ask) -> None:
    # What was drawn may keep one model through eight calls, hardly through thirty-two.
    assert any(left_in_chain(ask, chain_routing="mixed", chain_id=f"c-{n}") for n in range(4))


def test_a_workflow_is_a_preset_and_an_unknown_one_is_automatic_and_said_to_be(ask, gateway, org) -> None:
    begun = ask("Hi!", routing_hints={"workflow_type": "long_horizon_autonomous"})
    assert begun["tier"] in {"mid", "frontier"}
    assert ask("Hi!", routing_hints={"workflow_type": "creative"})["task_type"] == "creative"
    body = {"model": "auto", "messages": [{"role": "user", "content": "Hi!"}], "x25": {"org": org}}
    for said, told in (("moonwalk", True), ("single_turn", False)):
        answer = httpx.post(
            f"{gateway.url}/v1/chat/completions", json={**body, "routing_hints": {"workflow_type": said}}
        )
        assert ("routing_hints" in answer.json()["x25"]["degraded"]) is told
