from types import SimpleNamespace

import pytest

from x25.state.errors import ProviderTimeout
from x25.state.queries.periods import Period
from x25.terminal.frame import View
from x25.terminal.machine import ALONE, Way, breaker_of, cache, deployments, limits, machine, state_of, ways
from x25.terminal.ticker import Ticker
from x25.terminal.viewers import OWNER

ADMISSION = SimpleNamespace(in_flight=2, limit=64.0, refused=5)


def view_of(cascade, org, *, is_alone=False):
    today = cascade.services.now().date()
    state = SimpleNamespace() if is_alone else SimpleNamespace(admission=ADMISSION, started_s=0.0)
    return View(OWNER, cascade, ["acme"], org, Period(today, today), {}, Ticker(cascade, state))


def test_a_deployment_that_was_not_asked_is_idle():
    assert "idle" in state_of(None)
    assert ["answers" in state_of(1.0), "shaky" in state_of(0.7), "failing" in state_of(0.2)] == [True] * 3


def test_a_breaker_says_how_long_it_rests():
    assert "tried again in 12 s" in breaker_of(Way("m", "d", None, 0.0, "open", 12.3))
    assert "one request tries" in breaker_of(Way("m", "d", None, 0.0, "half_open", 0.0))
    assert "closed" in breaker_of(Way("m", "d", None, 0.0, "closed", 0.0))


@pytest.mark.slow
async def test_breakers_that_opened_are_shown_and_those_of_keys(cascade):
    view = view_of(cascade, "acme")
    assert {one.breaker for one in ways(view)} == {"closed"}
    services = cascade.services
    spec = next(iter(services.models.values()))
    deployment = spec.deployments[0]
    for number in range(2 * services.gateway.breakers.tolerance.failures):
        services.gateway.breakers.failed(
            spec, deployment, "sk-1", ProviderTimeout("late"), services.clock_s(), f"org-{number % 2}"
        )
    (opened,) = [one for one in ways(view) if one.breaker == "open"]
    assert (opened.model_id, opened.deployment) == (spec.model_id, deployment.name)
    assert 0 < opened.wait_s <= 60
    shown = deployments(view)
    assert "tried again in" in shown
    assert f"of {deployment.name}" in shown
    assert "sk-1" not in shown
    assert ALONE in deployments(view_of(cascade, "acme", is_alone=True))


@pytest.mark.slow
async def test_the_cache_tells_hits_misses_and_room(cascade):
    asked = {"prompt": "What is 17 + 4?", "org": "acme", "cache": "exact", "mode": "cache"}
    before = await cache(view_of(cascade, "acme"))
    assert "0 hits, 0 misses" in before
    for _ in range(3):
        await cascade.route(dict(asked))
        await cascade.drain()
    shown = await cache(view_of(cascade, "acme"))
    assert "2 hits, 1 misses" in shown
    assert "2 of 3" in shown
    assert "of 64 MB" in shown
    assert "of this process" not in await cache(view_of(cascade, None, is_alone=True))


@pytest.mark.slow
async def test_limits_are_the_gateways_and_the_orgs(cascade):
    shown = await limits(view_of(cascade, "acme"))
    assert "none set" in shown
    for name, value in (("now", "2"), ("most", "64")):
        assert f"Calls at once, {name}</span><b>{value}</b>" in shown
    await cascade.services.store.org_settings.change(
        "acme", lambda _: {"limits": {"requests_per_minute": 60}}, ""
    )
    cascade.services.org_settings._pages.clear()
    assert "Requests a minute</span><b>60</b>" in await limits(view_of(cascade, "acme"))
    assert "choose one" in await limits(view_of(cascade, None, is_alone=True))
    assert "Transactions waiting" in machine(view_of(cascade, None))
    assert ALONE in machine(view_of(cascade, None, is_alone=True))
