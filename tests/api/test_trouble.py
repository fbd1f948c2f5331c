"""Open breakers and exhausted keys, seen from outside."""

import time

import httpx
import pytest

from x25.api.trouble import MOST_NAMED, breakers_named
from x25.providers.breaker_places import Label, Told
from x25.simulator.process import SimulatorProcess
from x25.state.errors import ProviderServer


def services_of(client: httpx.AsyncClient):
    return client._transport.app.state.cascade.services


def open_breaker(services, model_id="sim/tiny-1", orgs=("default", "other")):
    spec = services.models[model_id]
    for number in range(8):
        services.gateway.breakers.failed(
            spec,
            spec.deployments[0],
            None,
            ProviderServer("down"),
            services.clock_s(),
            orgs[number % len(orgs)],
        )
    return spec


async def test_an_open_breaker_is_in_healthz_metrics_and_a_head(open_app) -> None:
    async with open_app() as client:
        services = services_of(client)
        spec = open_breaker(services)
        found = (await client.get("/healthz")).json()
        assert found["status"] == "degraded"
        assert "sim/tiny-1=open" in found["degraded"]["providers"]
        (one,) = found["breakers"]
        assert (one["model"], one["deployment"], one["key"], one["state"]) == (
            "sim/tiny-1",
            "simulator",
            "",
            "open",
        )
        assert 0 < one["wait_s"] <= 5
        reply = await client.post(
            "/v1/chat/completions", json={"messages": [{"role": "user", "content": "hi"}]}
        )
        assert (reply.status_code, reply.headers["x-x25-breakers"]) == (200, "simulator/sim/tiny-1=open")
        assert reply.json()["model"] != "sim/tiny-1"
        told = (await client.get("/metrics")).text
        assert 'x25_breaker_state{deployment="simulator",key="",model="sim/tiny-1",worker="0"} 2.0' in told
        assert 'model="sim/small-2",worker="0"} 0.0' in told
        services.gateway.breakers.answered(spec.deployments[0], None)
        reply = await client.post(
            "/v1/chat/completions", json={"messages": [{"role": "user", "content": "hi"}]}
        )
        assert "x-x25-breakers" not in reply.headers
        assert "providers" not in (await client.get("/healthz")).json()["degraded"]


async def test_a_breaker_of_one_org_is_counted_in_healthz_and_in_no_other_orgs_head(open_app) -> None:
    async with open_app() as client:
        open_breaker(services_of(client), orgs=("poison",))
        found = (await client.get("/healthz")).json()
        assert [(one["state"], one["orgs"]) for one in found["breakers"]] == [("open", 1)]
        assert "sim/tiny-1=open for 1 org" in found["degraded"]["providers"]
        assert "poison" not in str(found)
        body = {"model": "sim/tiny-1", "messages": [{"role": "user", "content": "hi"}]}
        reply = await client.post("/v1/chat/completions", json=body)
        assert (reply.status_code, "x-x25-breakers" in reply.headers) == (200, False)
        mine = await client.post("/v1/chat/completions", json={**body, "x25": {"org": "poison"}})
        assert (mine.status_code, mine.headers["x-x25-breakers"]) == (503, "simulator/sim/tiny-1=open")


async def test_a_model_asked_for_by_name_whose_breaker_is_open_says_when_to_come_back(open_app) -> None:
    async with open_app() as client:
        open_breaker(services_of(client))
        body = {"model": "sim/tiny-1", "messages": [{"role": "user", "content": "hi"}]}
        reply = await client.post("/v1/chat/completions", json=body)
        assert (reply.status_code, 1 <= int(reply.headers["retry-after"]) <= 5) == (503, True)
        assert reply.json()["error"]["code"] == "all_models_busy"


async def test_a_key_without_credit_is_in_healthz_by_a_fingerprint(open_app) -> None:
    async with open_app() as client:
        services = services_of(client)
        deployment = services.models["sim/tiny-1"].deployments[0]
        services.gateway.keyring.exhaust("sk-secret", deployment, services.clock_s() + 60)
        found = await client.get("/healthz")
        assert [(one["deployment"], one["model"]) for one in found.json()["keys_exhausted"]] == [
            ("simulator", "sim/tiny-1")
        ]
        assert "keys" in found.json()["degraded"]
        assert "sk-secret" not in found.text
        assert 'x25_keys_exhausted{worker="0"} 1.0' in (await client.get("/metrics")).text


async def test_a_key_that_its_provider_refuses_is_in_healthz_and_metrics_apart_from_those_without_credit(
    open_app,
) -> None:
    async with open_app() as client:
        services = services_of(client)
        deployment = services.models["sim/tiny-1"].deployments[0]
        services.gateway.keyring.reject("sk-secret", deployment, services.clock_s() + 60)
        found = (await client.get("/healthz")).json()
        assert [one["model"] for one in found["keys_refused"]] == ["sim/tiny-1"]
        assert (found["status"], found["keys_exhausted"]) == ("degraded", [])
        assert "simulator" in found["degraded"]["refused_keys"]
        told = (await client.get("/metrics")).text
        assert 'x25_keys_refused{worker="0"} 1.0' in told
        assert 'x25_keys_exhausted{worker="0"} 0.0' in told
        services.gateway.keyring.accept("sk-secret", deployment)
        assert (await client.get("/healthz")).json()["keys_refused"] == []


def test_a_head_names_a_few() -> None:
    told = [Told(Label(f"m/{number}", "one"), "open", 1.0) for number in range(20)]
    assert breakers_named(told).count("=open") == MOST_NAMED


@pytest.mark.slow
def test_two_gateways_share_what_one_of_them_found_out(redis, start_gateway) -> None:
    """Real processes, a real Redis, and one deployment that is down."""
    body = {"model": "sim/tiny-1", "messages": [{"role": "user", "content": "hi"}]}
    with SimulatorProcess(latency=False) as simulator:
        shared = {"X25_REDIS_URL": redis.url, "X25_SIMULATOR_URL": simulator.url, "X25_BREAKER_FAILURES": "3"}
        first, second = start_gateway(**shared), start_gateway(**shared)
        simulator.set_scenario([{"match": {"model": "sim/tiny-1"}, "fault": "500"}])
        assert httpx.post(f"{first.url}/v1/chat/completions", json=body, timeout=30).status_code == 502
        told = until(lambda: httpx.get(f"{second.url}/healthz").json()["breakers"])
        assert [(one["model"], one["state"]) for one in told] == [("sim/tiny-1", "open")]
        simulator.set_scenario([])
        refused = httpx.post(f"{second.url}/v1/chat/completions", json=body, timeout=30)
        assert (refused.status_code, simulator.bills()) == (503, [])
        assert refused.headers["x-x25-breakers"] == "simulator/sim/tiny-1=open"
        answered = until(lambda: httpx.post(f"{second.url}/v1/chat/completions", json=body).is_success)
        assert answered  # the probe, once its rest was over
        until(lambda: not httpx.get(f"{first.url}/healthz").json()["breakers"])
        redis.stop()
        assert httpx.post(f"{first.url}/v1/chat/completions", json=body, timeout=30).is_success


def until(condition):
    for _ in range(300):
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not come about")
