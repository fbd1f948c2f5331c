import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from x25.client import (
    PRESETS,
    X25,
    AsyncX25,
    GatewayError,
    GatewayTimeout,
    GatewayUnreachable,
    InvalidRequest,
    MalformedReply,
    RateLimited,
    Unauthorized,
    UpstreamFailed,
)

KEY = "sk-x25-secret0123"
REPLY = {
    "text": "Paris",
    "model_used": "deepseek/deepseek-v4-flash",
    "provider": "deepseek",
    "task_type": "qa",
    "cost_usd": 0.00012,
    "latency_ms": 412.4,
    "quality_score": 0.93,
    "cascade_steps": 1,
    "audit_hash": "ab" * 32,
    "goal_match": {"cost": 1.0, "quality": 0.93, "latency": 0.9},
}
ADDITIONS = {
    "call_id": "c1",
    "tier": "slm",
    "cost_saved_usd": 0.004,
    "simulated": True,
    "stage": {"stage": 1},
}


class Gateway:
    """A real HTTP server that records each request and answers from a table; silent paths never answer."""

    def __init__(self):
        self.requests = []
        self.answers = {"/route": (200, REPLY, {}), "/keys/me": (200, {"org": "lab"}, {})}
        self.silent = set()
        self.released = threading.Event()
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                auth = self.headers.get("Authorization")
                gateway.requests.append((self.command, self.path, auth, json.loads(body) if body else None))
                if self.path in gateway.silent:
                    gateway.released.wait(10)
                    self.close_connection = True
                    return
                status, answer, headers = gateway.answers.get(self.path, (200, {"path": self.path}, {}))
                raw = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(raw))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(raw)

            do_GET = do_POST = answer  # noqa: N815 - the standard library's names

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def stop(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    @property
    def bodies(self):
        return [body for _, path, _, body in self.requests if path == "/route"]


@pytest.fixture
def gateway():
    server = Gateway()
    yield server
    server.stop()


def refusal(code, message, field=None):
    return {"error": {"type": "x", "code": code, "message": message, "field": field}}


def test_quick_start_form_needs_no_argument_to_complete(gateway):
    with X25(api_key=KEY, prompt="Capital of France?", org="my-lab", gateway_url=gateway.url) as agent:
        result = agent.complete()
    assert result.text == "Paris"
    assert gateway.requests == [
        (
            "POST",
            "/route",
            f"Bearer {KEY}",
            {
                "prompt": "Capital of France?",
                "org": "my-lab",
                "optimize_for": PRESETS["balanced"],
                "policy": {},
                "router": "auto",
            },
        )
    ]


@pytest.mark.parametrize(
    ("args", "named"),
    [
        ((KEY, "Hi", "my-lab"), {}),
        ((KEY, "Hi"), {"org": "my-lab"}),
        ((KEY,), {"prompt": "Hi", "org": "my-lab"}),
        (("another-key", "Hi", "my-lab"), {}),
    ],
)
def test_quick_start_form_is_recognised_by_position(gateway, args, named):
    with X25(*args, **named, gateway_url=gateway.url) as agent:
        agent.complete()
    (request,) = gateway.requests
    assert request[2] == f"Bearer {args[0]}"
    assert (request[3]["prompt"], request[3]["org"]) == ("Hi", "my-lab")


@pytest.mark.parametrize("weights", [{"cost": 0.7, "quality": 0.2, "latency": 0.1}, "cost-first"])
def test_reference_form_takes_org_first(gateway, weights):
    with X25("my-lab", weights, {"max_cost_per_call_usd": 0.02}, gateway.url, KEY) as agent:
        agent.complete("Hi", "qa")
    (request,) = gateway.requests
    assert request[2] == f"Bearer {KEY}"
    assert request[3]["org"] == "my-lab"
    assert request[3]["hint"] == "qa"
    assert request[3]["optimize_for"] == pytest.approx(PRESETS["cost-first"])
    assert request[3]["policy"] == {"max_cost_per_call_usd": 0.02}


def test_defaults_are_the_published_ones(monkeypatch):
    monkeypatch.setenv("X25_API_KEY", KEY)
    monkeypatch.setenv("X25_GATEWAY_URL", "http://elsewhere:1")
    agent = X25()
    assert agent.org == "default"
    assert agent.optimize_for == pytest.approx({"cost": 0.33, "quality": 0.34, "latency": 0.33}, abs=1e-9)
    assert agent.policy == {}
    assert agent.gateway_url == "http://localhost:8000"
    assert agent._headers == {}


def test_wrong_constructor_arguments_are_type_errors():
    with pytest.raises(TypeError, match="at most 3 positional"):
        X25(KEY, "Hi", "org", {})
    with pytest.raises(TypeError, match="multiple values for keyword argument 'org'"):
        X25("a", org="b")
    with pytest.raises(TypeError, match="unexpected keyword argument 'polizy'"):
        X25(polizy={})


def test_weights_are_normalised():
    assert X25(optimize_for={"cost": 2, "quality": 1, "latency": 1}).optimize_for == {
        "cost": 0.5,
        "quality": 0.25,
        "latency": 0.25,
    }
    assert X25(optimize_for={"quality": 3}).optimize_for == {"cost": 0, "quality": 1, "latency": 0}


@pytest.mark.parametrize(
    "weights",
    [
        {"cost": -1, "quality": 2},
        {"cost": 0, "quality": 0, "latency": 0},
        {},
        {"cost": float("nan")},
        {"quality": 1, "latency": float("nan")},
        {"cost": float("inf")},
        {"speed": 1},
        "cheapest",
    ],
)
def test_unusable_weights_are_refused(weights):
    with pytest.raises(ValueError, match="optimize_for: expected"):
        X25(optimize_for=weights)


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_weights_by_name(name):
    assert X25(optimize_for=name).optimize_for == pytest.approx(PRESETS[name])


@pytest.mark.parametrize("url", ["localhost:8000", "", "ftp://host", "http://"])
def test_unusable_gateway_url_is_refused(url):
    with pytest.raises(ValueError, match="gateway_url: expected http"):
        X25(gateway_url=url)


@pytest.mark.parametrize("timeout_s", [0, -1, float("nan")])
def test_unusable_timeout_is_refused(timeout_s):
    with pytest.raises(ValueError, match="timeout_s: expected more than 0"):
        X25(timeout_s=timeout_s)


@pytest.mark.parametrize("key", ["", KEY + "\n", "sk x25", "sk-é"])
def test_unusable_key_is_refused_without_being_shown(key):
    with pytest.raises(ValueError, match="api_key: expected visible ASCII") as caught:
        X25(api_key=key)
    assert KEY not in str(caught.value)


def test_trailing_slash_of_the_gateway_url_is_tolerated(gateway):
    with X25("lab", gateway_url=gateway.url + "/behind/a/proxy/") as agent:
        assert agent.get_stats() == {"path": "/behind/a/proxy/stats/lab"}


def test_configuration_is_reused_and_immune_to_later_changes(gateway):
    policy = {"allowed_providers": ["openai"]}
    with X25("lab", {"cost": 1}, policy, gateway.url, router="cheap-pair") as agent:
        agent.complete("one")
        policy["allowed_providers"] = []
        agent.complete("two")
    first, second = gateway.bodies
    assert first.pop("prompt") == "one"
    assert second.pop("prompt") == "two"
    assert first == second
    assert first["policy"] == {"allowed_providers": ["openai"]}
    assert first["router"] == "cheap-pair"


@pytest.mark.parametrize(
    "given", [{}, {"prompt": ""}, {"prompt": "  \n"}, {"messages": []}, {"prompt": "Hi", "messages": []}]
)
def test_nothing_to_route_is_refused_before_any_request(gateway, given):
    with X25(api_key=KEY, gateway_url=gateway.url) as agent, pytest.raises(ValueError, match="expected"):
        agent.complete(**given)
    assert gateway.requests == []


def test_messages_replace_the_stored_prompt(gateway):
    messages = [{"role": "user", "content": "Hi"}]
    with X25(KEY, "stored", "lab", gateway_url=gateway.url) as agent:
        agent.complete(messages=messages, options={"temperature": 0}, call_id="c1")
    (body,) = gateway.bodies
    assert (body["messages"], body["options"], body["call_id"]) == (messages, {"temperature": 0}, "c1")
    assert "prompt" not in body
    assert "hint" not in body


def test_given_prompt_wins_over_the_stored_one(gateway):
    with X25(KEY, "stored", "lab", gateway_url=gateway.url) as agent:
        agent.complete("given")
    assert gateway.bodies[0]["prompt"] == "given"


def test_org_of_the_key_is_asked_once(gateway):
    with X25(api_key=KEY, gateway_url=gateway.url) as agent:
        agent.complete("one")
        agent.complete("two")
        agent.get_stats()
    assert [path for _, path, _, _ in gateway.requests] == ["/keys/me", "/route", "/route", "/stats/lab"]
    assert [body["org"] for body in gateway.bodies] == ["lab", "lab"]
    assert agent.org == "lab"


def test_given_org_is_not_asked_for(gateway):
    with X25(org="default", api_key=KEY, gateway_url=gateway.url) as agent:
        agent.complete("Hi")
    assert [path for _, path, _, _ in gateway.requests] == ["/route"]


def test_gateway_without_keys_leaves_the_default_org(gateway):
    gateway.answers["/keys/me"] = (404, refusal("not_found", "no such path"), {})
    with X25(api_key=KEY, gateway_url=gateway.url) as agent:
        agent.complete("Hi")
    assert gateway.bodies[0]["org"] == "default"


@pytest.mark.parametrize(
    ("status", "error"), [(401, Unauthorized), (422, InvalidRequest), (503, UpstreamFailed)]
)
def test_other_failures_to_learn_the_org_are_raised_before_routing(gateway, status, error):
    gateway.answers["/keys/me"] = (status, refusal("x", "no"), {})
    with X25(api_key=KEY, gateway_url=gateway.url) as agent, pytest.raises(error):
        agent.complete("Hi")
    assert gateway.bodies == []


def test_identity_without_org_is_malformed(gateway):
    gateway.answers["/keys/me"] = (200, {"name": "lab"}, {})
    with X25(api_key=KEY, gateway_url=gateway.url) as agent, pytest.raises(MalformedReply, match="/keys/me"):
        agent.complete("Hi")


def test_reads_return_the_gateways_json(gateway):
    with X25("a/b c", gateway_url=gateway.url) as agent:
        assert agent.get_stats() == {"path": "/stats/a%2Fb%20c"}
        assert agent.get_stage() == {"path": "/stage/a%2Fb%20c"}
        assert agent.verify() == {"path": "/verify?org=a%2Fb%20c"}


def test_response_carries_the_ten_fields_and_the_additions(gateway):
    gateway.answers["/route"] = (200, REPLY | ADDITIONS | {"from_the_future": 1}, {})
    result = X25(gateway_url=gateway.url).complete("Hi")
    for name, value in (REPLY | ADDITIONS).items():
        assert getattr(result, name) == value
    assert not hasattr(result, "from_the_future")


@pytest.mark.parametrize("answer", ["<html>", [REPLY], {"text": "Paris"}])
def test_success_of_another_shape_is_malformed(gateway, answer):
    gateway.answers["/route"] = (200, answer, {})
    with pytest.raises(MalformedReply, match="expected"):
        X25(gateway_url=gateway.url).complete("Hi")


@pytest.mark.parametrize(
    ("status", "error"),
    [(422, InvalidRequest), (429, RateLimited), (503, UpstreamFailed), (500, GatewayError)],
)
def test_error_answer_is_raised_and_not_retried(gateway, status, error):
    gateway.answers["/route"] = (status, refusal("some_code", "Say why.", "policy"), {"Retry-After": "1.5"})
    with pytest.raises(GatewayError, match=f"HTTP {status} some_code: Say why.") as caught:
        X25("lab", api_key=KEY, gateway_url=gateway.url).complete("Hi")
    assert type(caught.value) is error
    assert (caught.value.field, caught.value.retry_after_s) == ("policy", 1.5)
    assert KEY not in repr(caught.value)
    assert len(gateway.requests) == 1


def test_absent_gateway_is_named_with_the_way_to_start_one(gateway):
    gateway.stop()
    with pytest.raises(GatewayUnreachable) as caught:
        X25("lab", api_key=KEY, gateway_url=gateway.url).complete("Hi")
    for part in (gateway.url, "x25 serve", "pip install 'x25[gateway]'"):
        assert part in str(caught.value)
    assert KEY not in repr(caught.value)


def test_connection_that_breaks_is_unreachable(gateway):
    gateway.silent = {"/route"}
    gateway.released.set()
    with pytest.raises(GatewayUnreachable, match="/route"):
        X25(gateway_url=gateway.url).complete("Hi")


@pytest.mark.parametrize(
    ("path", "operation"),
    [
        ("/route", lambda agent: agent.complete("Hi")),
        ("/stats/lab", lambda agent: agent.get_stats()),
    ],
)
def test_silent_gateway_times_out(gateway, path, operation):
    gateway.silent = {path}
    agent = X25("lab", gateway_url=gateway.url, timeout_s=0.1)
    with pytest.raises(GatewayTimeout, match=rf"{gateway.url}{path} within 0.1 s"):
        operation(agent)


def test_key_is_in_no_representation():
    agent = X25("lab", api_key=KEY)
    assert repr(agent) == "X25(org='lab', gateway_url='http://localhost:8000')"
    assert KEY not in f"{agent} {agent!r}"


async def test_async_agent_sends_the_same_requests_and_returns_the_same_results(gateway):
    settings = {"api_key": KEY, "gateway_url": gateway.url, "optimize_for": "quality-first"}

    def by_threads():
        with X25(**settings) as agent:
            return [agent.complete("Hi", "qa"), agent.get_stats(), agent.get_stage(), agent.verify()]

    expected = await asyncio.to_thread(by_threads)
    sent = list(gateway.requests)
    gateway.requests.clear()
    async with AsyncX25(**settings) as agent:
        results = [await agent.complete("Hi", "qa"), await agent.get_stats()]
        results += [await agent.get_stage(), await agent.verify()]
    assert results == expected
    assert gateway.requests == sent
    assert len(sent) == 5


async def test_async_agent_names_the_same_failures(gateway):
    gateway.silent = {"/route"}
    gateway.answers["/stats/lab"] = (401, refusal("invalid_api_key", "Unknown key."), {})
    async with AsyncX25(KEY, "Hi", "lab", gateway_url=gateway.url, timeout_s=0.1) as agent:
        with pytest.raises(GatewayTimeout):
            await agent.complete()
    async with AsyncX25(KEY, "Hi", "lab", gateway_url=gateway.url) as agent:
        with pytest.raises(Unauthorized, match="Unknown key"):
            await agent.get_stats()
        for nothing in (" ", 5):
            with pytest.raises(ValueError, match="prompt: expected text"):
                await agent.complete(nothing)
    gateway.stop()
    async with AsyncX25(gateway_url=gateway.url) as agent:
        with pytest.raises(GatewayUnreachable, match="x25 serve"):
            await agent.complete("Hi")


async def test_transport_stands_in_for_the_network():
    transport = httpx.MockTransport(lambda request: httpx.Response(200, json=REPLY))
    assert X25(transport=transport).complete("Hi").text == "Paris"
    assert (await AsyncX25(transport=transport).complete("Hi")).text == "Paris"


def test_closed_agent_refuses_further_calls(gateway):
    agent = X25(gateway_url=gateway.url)
    agent.close()
    with pytest.raises(RuntimeError, match="closed"):
        agent.complete("Hi")
    assert gateway.requests == []


def test_steering_is_told_to_the_gateway_as_it_was_given(gateway):
    said = {"routing_hints": {"mode": "fast"}, "routing_override": {"model": "acme/small"}}

    async def ask():
        async with AsyncX25(org="lab", gateway_url=gateway.url) as agent:
            await agent.complete("hello", **said)

    with X25(org="lab", gateway_url=gateway.url) as agent:
        agent.complete("hello", **said)
        agent.complete("hello")
    asyncio.run(ask())
    first, plain, awaited = (body for _, path, _, body in gateway.requests if path == "/route")
    assert {name: first[name] for name in said} == {name: awaited[name] for name in said} == said
    assert not said.keys() & plain.keys()


def test_a_decision_is_asked_for_with_its_fields_and_whose_it_is(gateway):
    decided = {"id": "d1", "selected": ["v/m"], "candidates": []}
    gateway.answers["/api/route"] = (200, decided, {})
    with X25(org="lab", gateway_url=gateway.url) as agent:
        assert agent.decide("Which?", user_id="ada", config="auto", completion_threshold=0.9) == decided
        with pytest.raises(ValueError, match="prompt"):
            agent.decide(" ")

    async def ask():
        async with AsyncX25(org="lab", gateway_url=gateway.url) as other:
            return await other.decide("Which?")

    assert asyncio.run(ask()) == decided
    bodies = [body for _, path, _, body in gateway.requests if path == "/api/route"]
    named = {"org": "lab", "prompt": "Which?"}
    assert bodies == [{**named, "user_id": "ada", "config": "auto", "completion_threshold": 0.9}, named]


def test_a_call_says_whose_it_is(gateway):
    with X25(org="lab", gateway_url=gateway.url) as agent:
        agent.complete("Capital of France?", user_id="ada")
        agent.complete("Capital of France?")
    assert [body.get("user_id") for body in gateway.bodies] == ["ada", None]
