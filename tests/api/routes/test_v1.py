import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import openai
import pytest

from x25.routing.plan.chat_parameters import ChatParameters

HELLO = [{"role": "user", "content": "What is 17 * 23?"}]
TOOL = {
    "type": "function",
    "function": {
        "name": "look_up",
        "parameters": {"type": "object", "properties": {"word": {"type": "string"}}},
    },
}


@pytest.fixture
def client(gateway, org: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=gateway.new_key(org), max_retries=0) as client:
        yield client


def test_model_and_messages_are_enough(http: httpx.Client) -> None:
    answer = http.post("/v1/chat/completions", json={"model": "auto", "messages": HELLO})
    body = answer.json()
    assert (answer.status_code, body["object"], body["x25"]["org"]) == (200, "chat.completion", "default")
    assert body["choices"][0]["message"]["role"] == "assistant"
    assert body["model"] == body["x25"]["model_used"] == answer.headers["x-x25-model"]
    assert answer.headers["x-x25-call-id"] == body["x25"]["call_id"]
    for name in ("cost_usd", "judge_cost_usd", "cost_saved_usd"):
        assert float(answer.headers[f"x-x25-{name.replace('_', '-')}"]) == pytest.approx(
            body["x25"][name], abs=1e-9
        )


def test_the_official_client_reads_the_answer_and_its_receipt(
    client: openai.OpenAI, http: httpx.Client, org: str
) -> None:
    said = client.chat.completions.create(model="auto", messages=HELLO, extra_body={"x25": {"hint": "qa"}})
    assert said.choices[0].message.content
    assert said.usage.total_tokens == said.usage.prompt_tokens + said.usage.completion_tokens > 0
    receipt = said.model_extra["x25"]
    assert (receipt["org"], receipt["task_type"], len(receipt["audit_hash"])) == (org, "qa", 64)
    assert http.get(f"/stats/{org}").json()["total_cost_usd"] == pytest.approx(receipt["cost_usd"], abs=1e-12)


@pytest.mark.parametrize("wants_usage", [True, False])
def test_the_official_client_reads_a_stream(client: openai.OpenAI, org: str, wants_usage: bool) -> None:
    options = {"stream_options": {"include_usage": True}} if wants_usage else {}
    chunks = list(client.chat.completions.create(model="auto", messages=HELLO, stream=True, **options))
    choices = [choice for chunk in chunks for choice in chunk.choices]
    assert "".join(choice.delta.content or "" for choice in choices)
    assert [choice.finish_reason for choice in choices if choice.finish_reason] == ["stop"]
    assert len({chunk.id for chunk in chunks}) == 1
    assert [chunk.usage is not None for chunk in chunks] == [False, False] + [True] * wants_usage
    assert [chunk.model_extra["x25"]["org"] for chunk in chunks if "x25" in chunk.model_extra] == [org]


def test_a_stream_ends_with_the_receipt_that_a_chat_carries(http: httpx.Client, org: str) -> None:
    body = {
        "model": "auto",
        "messages": HELLO,
        "x25": {"org": org, "policy": {"allowed_providers": ["sim-e"]}},
    }
    plain = http.post("/v1/chat/completions", json=body).json()["x25"]
    streamed = http.post("/v1/chat/completions", json={**body, "stream": True})
    lines = [
        line.removeprefix("data: ") for line in streamed.text.split("\n\n") if line.startswith("data: {")
    ]
    receipt = json.loads(lines[-1])["x25"]
    assert (
        receipt.keys() == plain.keys() > {"cost_usd", "judge_cost_usd", "cost_saved_usd", "stage", "degraded"}
    )
    assert receipt["degraded"] == plain["degraded"] == {}
    call = http.get(f"/stats/{org}").json()
    saved = plain["cost_saved_usd"] + receipt["cost_saved_usd"]
    assert call["total_saved_usd"] == pytest.approx(saved, abs=1e-9)


@pytest.mark.parametrize("stream", [False, True])
def test_a_chat_tells_what_did_not_work_for_it(start_gateway, stream: bool, tmp_path: Path) -> None:
    lame = start_gateway(X25_ENCODER=f"st:{tmp_path}", X25_ENCODER_MODEL="none")
    body = {"model": "auto", "messages": HELLO, "stream": stream}
    answer = httpx.post(f"{lame.url}/v1/chat/completions", json=body, timeout=30)
    told = [line.removeprefix("data: ") for line in answer.text.split("\n\n") if '"x25"' in line]
    assert json.loads(told[-1])["x25"]["degraded"].keys() == {"encoder"}
    assert httpx.get(f"{lame.url}/healthz").json()["degraded"].keys() == {"encoder"}


@pytest.mark.parametrize("stream", [False, True])
def test_tools_pass_through_and_calls_of_them_come_back(client: openai.OpenAI, stream: bool) -> None:
    said = client.chat.completions.create(
        model="auto", messages=HELLO, tools=[TOOL], tool_choice="required", stream=stream,
    )  # fmt: skip
    calls = said.choices[0].message.tool_calls if not stream else [
        call for chunk in said for choice in chunk.choices for call in choice.delta.tool_calls or ()
    ]  # fmt: skip
    assert [call.function.name for call in calls] == ["look_up"]
    assert not stream or calls[0].index == 0


def test_a_router_config_is_named_as_the_model(http: httpx.Client, org: str) -> None:
    body = {"model": "x25-classic", "messages": HELLO, "x25": {"org": org}}
    assert http.post("/v1/chat/completions", json=body).json()["x25"]["quality_source"] == "judge"


@pytest.mark.parametrize(
    ("part", "field"),
    [
        ({"model": 5}, "model"),
        ({"messages": []}, "messages"),
        ({"messages": None}, "messages"),
        ({"messages": [5]}, "messages.0"),
        ({"messages": [{"role": "narrator", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": "\ud800"}]}, "messages[0].content"),
        ({"stream": "yes"}, "stream"),
        ({"stream_options": 5}, "stream_options"),
        ({"max_tokens": 0}, "options.max_tokens"),
        ({"x25": 5}, "x25"),
        ({"x25": {"hnt": "qa"}}, "x25.hnt"),
        ({"x25": {"hint": "poetry"}}, "hint"),
        ({"x25": {"org": "A"}}, "org"),
    ],
    ids=ascii,
)
def test_a_wrong_field_is_named(http: httpx.Client, part: dict, field: str) -> None:
    raw = json.dumps({"model": "auto", "messages": HELLO, **part})
    answer = http.post("/v1/chat/completions", content=raw, headers={"content-type": "application/json"})
    assert answer.status_code == 422, answer.text
    assert answer.json()["error"]["field"] == field
    assert answer.json()["error"]["param"] == field.removeprefix("options.")


def test_the_official_client_raises_its_own_error_for_a_wrong_field(client: openai.OpenAI) -> None:
    with pytest.raises(openai.UnprocessableEntityError) as caught:
        client.chat.completions.create(model="auto", messages=HELLO, n=9)
    assert (caught.value.param, caught.value.code) == ("n", "invalid_request")


@pytest.mark.parametrize("model", ["gpt-4o", "", "sim/none", "x" * 5_000])
def test_a_model_that_nobody_knows_is_not_found_and_the_known_ones_are_named(
    client: openai.OpenAI, model: str
) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model=model, messages=HELLO)
    assert (caught.value.param, caught.value.code) == ("model", "model_not_found")
    assert {"auto", "sim/tiny-1"} <= set(caught.value.message.partition("known: ")[2].strip("'}").split(", "))
    if model and "/" not in model:
        with pytest.raises(openai.NotFoundError):
            client.models.retrieve(model)


def test_the_models_are_the_routers_and_every_model_that_can_be_reached(
    client: openai.OpenAI, http: httpx.Client
) -> None:
    listed = {one.id: one for one in client.models.list()}
    assert listed.keys() >= {"auto", "cheap-pair", "sim/tiny-1", "sim/xlarge-6"}
    assert (listed["auto"].owned_by, listed["sim/tiny-1"].owned_by) == ("x25", "sim-a")
    assert all((one.object, one.created > 1_700_000_000) == ("model", True) for one in listed.values())
    assert client.models.retrieve("sim/tiny-1") == listed["sim/tiny-1"]
    assert http.get("/v1/models").json()["object"] == "list"


@pytest.mark.parametrize("model", ["sim/tiny-1", "sim/xlarge-6"])
def test_a_model_by_its_id_answers_itself_unrouted_unjudged_and_on_the_record(
    client: openai.OpenAI, http: httpx.Client, org: str, model: str
) -> None:
    for _ in range(5):
        receipt = client.chat.completions.create(model=model, messages=HELLO).model_extra["x25"]
        assert (receipt["model_used"], receipt["propensity"], receipt["cascade_steps"]) == (model, 1, 1)
        assert (receipt["judge_cost_usd"], receipt["escalations"]) == (0, 0)
    assert http.get(f"/stats/{org}").json()["model_distribution"] == {model: 5}
    assert http.get("/verify", params={"org": org}).json()["total_records"] == 5


def test_a_model_by_its_id_is_held_to_the_policy(client: openai.OpenAI) -> None:
    policy = {"allowed_providers": ["sim-b"]}
    with pytest.raises(openai.UnprocessableEntityError) as caught:
        client.chat.completions.create(
            model="sim/tiny-1", messages=HELLO, extra_body={"x25": {"policy": policy}}
        )
    assert (caught.value.code, "allowed_providers" in str(caught.value)) == ("no_eligible_model", True)


@pytest.mark.parametrize(
    "name",
    ["models", "route", "provider", "plugins", "transforms", "fallbacks", "web_search_options", "extra_body",
     "api_base", "api_key", "base_url", "preset", "guardrails", "mock_response", "metadata_", "usage",
     "max_price", "safety_settings", "extra_headers"],
)  # fmt: skip
@pytest.mark.parametrize("value", [["openai/gpt-5"], {"order": ["x"]}, "x", True])
def test_a_word_that_other_gateways_obey_is_refused_by_name_and_nothing_is_bought(
    http: httpx.Client, simulator, name: str, value: object
) -> None:
    billed = len(simulator.bills())
    chat = http.post("/v1/chat/completions", json={"model": "auto", "messages": HELLO, name: value})
    plain = http.post("/route", json={"prompt": "hello", "options": {name: value}})
    for answer in (chat, plain):
        assert answer.status_code == 422, answer.text
        assert answer.json()["error"]["field"] == f"options.{name}"
    assert len(simulator.bills()) == billed


def test_every_parameter_that_may_be_null_may_be_null(http: httpx.Client) -> None:
    names = {*ChatParameters.__annotations__, "stream", "stream_options", "x25"}
    body = {"model": "auto", "messages": HELLO, **dict.fromkeys(names)}
    assert http.post("/v1/chat/completions", json=body).status_code == 200


def test_a_key_decides_the_org(http: httpx.Client, org: str, gateway) -> None:
    headers = {"Authorization": f"Bearer {gateway.new_key(org)}"}
    body = {"model": "auto", "messages": HELLO, "x25": {"org": "another"}}
    assert http.post("/v1/chat/completions", json=body, headers=headers).json()["x25"]["org"] == org


@pytest.mark.parametrize(
    "fault", [{"type": "objekt"}, {"$ref": "http://127.0.0.1:9/a.json"}, {"pattern": "("}]
)
def test_a_schema_that_is_none_is_refused_before_anything_is_spent(
    http: httpx.Client, org: str, fault: dict
) -> None:
    tool = {"type": "function", "function": {"name": "look_up", "parameters": fault}}
    body = {"model": "auto", "messages": HELLO, "x25": {"org": org}, "tools": [TOOL, tool]}
    answer = http.post("/v1/chat/completions", json=body)
    error = answer.json()["error"]
    assert (answer.status_code, error["type"]) == (422, "invalid_request_error")
    assert error["field"] == "options.tools[1].function.parameters"
    stats = http.get(f"/stats/{org}").json()
    assert (stats["total_calls"], stats["total_cost_usd"]) == (0, 0)


def test_an_answer_that_breaks_its_schema_is_found_out(http: httpx.Client, org: str) -> None:
    schema = {
        "type": "object",
        "properties": {"n": {"type": "string", "pattern": "^never$"}},
        "required": ["n"],
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
    body = {"model": "auto", "messages": HELLO, "x25": {"org": org}, "response_format": wanted}
    verdict = http.post("/v1/chat/completions", json=body).json()["x25"]["verdict"]
    assert verdict["failed_check"] == "json_valid"


def test_a_follow_up_is_not_sent_to_a_weaker_model(
    client: openai.OpenAI, http: httpx.Client, org: str
) -> None:
    """Clients keep no state with the gateway: they send the answer back without its author."""
    strong = {"x25": {"policy": {"allowed_providers": ["sim-e"]}}}
    tiers = set()
    for number in range(12):
        asked = [{"role": "user", "content": f"What is {number} + 1?"}]
        first = client.chat.completions.create(model="auto", messages=asked, extra_body=strong)
        assert first.model_extra["x25"]["tier"] == "frontier"
        said = {"role": "assistant", "content": first.choices[0].message.content}
        following = [*asked, said, {"role": "user", "content": "Thanks! Say hi."}]
        second = client.chat.completions.create(model="auto", messages=following).model_extra["x25"]
        tiers.add(second["tier"])
    assert tiers == {"frontier"}
    weak = {"max_tier": "slm"}
    for policy, why in (({}, "whose answer it builds on"), (weak, "nobody as strong may be asked")):
        explained = http.post("/route", json={"org": org, "messages": following, "policy": policy}).json()
        removed, transitions = explained["explain"]["removed"], explained["explain"]["transitions"]
        assert why in removed.get("sim/tiny-1", transitions[0]["reason"])


def test_a_model_that_is_null_counts_as_not_given(http):
    reply = http.post(
        "/v1/chat/completions", json={"model": None, "messages": [{"role": "user", "content": "hi"}]}
    )
    assert reply.status_code == 200


@pytest.mark.parametrize(
    "said",
    [{"thinking": {"type": "disabled"}}, {"reasoning": {"effort": "none"}}, {"enable_thinking": False}],
)
def test_how_much_a_model_thinks_may_be_said_in_any_vendors_words(client: openai.OpenAI, said) -> None:
    answer = client.chat.completions.create(model="auto", messages=HELLO, extra_body=said)
    assert answer.choices[0].message.content
