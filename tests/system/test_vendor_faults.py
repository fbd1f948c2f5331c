"""One model's trouble is not the call's: a real gateway before a vendor whose models have faults of their own."""

import json

import httpx
import pytest

from x25.demo.gateway import gateway_process

pytestmark = pytest.mark.slow

SAID = {"role": "assistant", "content": "The capital of France is Paris."}
USAGE = {"prompt_tokens": 9, "completion_tokens": 7}


def says(message=SAID, reason="stop", **more):
    choice = {"message": message, "finish_reason": reason}
    return 200, {}, json.dumps({"choices": [choice], "usage": USAGE, **more}).encode()


def refuses(status, message, headers=None, **more):
    return status, headers or {}, json.dumps({"error": {"message": message, **more}}).encode()


@pytest.fixture
def chat(vendor, tmp_path):
    """Return a function that sends one chat through a gateway."""
    with (
        gateway_process(tmp_path, vendor.url, judge="none", seed="1") as process,
        httpx.Client(base_url=process.url, timeout=60) as client,
    ):

        def send(**more):
            messages = [{"role": "user", "content": "What is the capital of France?"}]
            return client.post("/v1/chat/completions", json={"model": "auto", "messages": messages, **more})

        send.client = client
        yield send


def asked_models(vendor):
    return [body["model"] for body in vendor.asked]


def test_a_model_that_is_gone_costs_one_request_and_no_call(vendor, chat):
    gone = ("sim/tiny-1", "sim/small-2", "sim/medium-3")
    vendor.answer = lambda body: refuses(404, "The model does not exist") if body["model"] in gone else says()
    assert {chat().status_code for _ in range(20)} == {200}
    assert all(asked_models(vendor).count(model) <= 1 for model in gone)


def test_a_model_that_wants_the_limit_under_its_other_name_gets_it(vendor, chat):
    def answer(body):
        if "max_tokens" in body:
            return refuses(400, "Unsupported parameter: 'max_tokens' is not supported.", param="max_tokens")
        return says()

    vendor.answer = answer
    replies = [chat() for _ in range(4)]
    assert {one.status_code for one in replies} == {200}
    assert all(one.json()["x25"]["fallbacks"] == 0 for one in replies)
    first, second = vendor.asked[:2]
    assert second["max_completion_tokens"] == first["max_tokens"]


def test_a_limit_nobody_asked_for_is_left_out_where_no_name_of_it_is_taken(vendor, chat):
    def answer(body):
        named = [name for name in ("max_tokens", "max_completion_tokens") if name in body]
        if named:
            return refuses(400, f"Unsupported parameter: {named[0]!r}", param=named[0])
        return says()

    vendor.answer = answer
    assert chat().status_code == 200
    assert chat(max_tokens=50).status_code == 400


def test_a_refused_parameter_is_not_sent_to_that_model_again(vendor, chat):
    def answer(body):
        if "seed" in body and body["model"] != "sim/large-5":
            return refuses(400, "`seed` is not supported", param="seed")
        return says()

    vendor.answer = answer
    assert [chat(seed=7).status_code for _ in range(8)] == [200] * 8
    asked = asked_models(vendor)
    assert all(asked.count(model) == 1 for model in set(asked) - {"sim/large-5"})


def test_a_request_that_two_vendors_refuse_is_at_fault(vendor, chat):
    vendor.answer = lambda body: refuses(400, "temperature must be a number")
    answer = chat()
    assert (answer.status_code, len(vendor.asked)) == (400, 2)
    assert "temperature must be a number" in answer.json()["error"]["message"]
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_what_one_orgs_requests_make_fail_is_no_other_orgs_trouble(vendor, chat):
    """With the settings as they are shipped."""
    vendor.answer = lambda body: refuses(500, "down") if "poison" in json.dumps(body["messages"]) else says()

    def ask(org, text):
        messages = [{"role": "user", "content": text}]
        return chat(model="sim/tiny-1", messages=messages, x25={"org": org})

    assert {ask("mean", "poison").status_code for _ in range(10)} <= {502, 503}
    tried = len(vendor.asked)
    assert tried <= 10
    replies = [ask("kind", "What is the capital of France?") for _ in range(10)]
    assert [(one.status_code, "x-x25-breakers" in one.headers) for one in replies] == [(200, False)] * 10
    assert len(vendor.asked) == tried + 10
    assert ask("mean", "poison").headers["x-x25-breakers"] == "simulator/sim/tiny-1=open"
    vendor.answer = lambda body: refuses(500, "down")
    for org in ("kind", "third") * 4:  # of others' requests as well, it is the deployment
        assert ask(org, "hi").status_code in (502, 503)
    assert ask("fourth", "hi").status_code == 503


def test_a_vendor_that_is_busy_says_when_to_come_back(vendor, chat):
    vendor.answer = lambda body: refuses(429, "slow down", {"Retry-After": "9" * 30})
    answer = chat()
    assert answer.status_code == 503
    assert 1 <= int(answer.headers["retry-after"]) <= 3600


@pytest.mark.parametrize("reason", ["error", "content_filter", "network_error"])
def test_an_answer_that_was_broken_off_is_paid_for_and_another_model_asked(vendor, chat, reason):
    vendor.answer = lambda body: says(reason=reason) if body["model"] == asked_models(vendor)[0] else says()
    reply = chat().json()
    assert reply["choices"][0]["finish_reason"] == "stop"
    assert reply["x25"]["fallbacks"] == 1
    assert reply["x25"]["cost_usd"] > 0


def test_an_answer_cut_off_at_the_callers_limit_is_delivered_and_teaches_nothing(vendor, chat):
    vendor.answer = lambda body: says({"role": "assistant", "content": ""}, "length")
    replies = [chat(max_tokens=1).json() for _ in range(6)]
    assert {one["choices"][0]["finish_reason"] for one in replies} == {"length"}
    assert {one["x25"]["cascade_steps"] for one in replies} == {1}
    arms = chat.client.get("/thompson/default").json()
    assert json.dumps(arms).count('"judged": 0') == json.dumps(arms).count('"judged":')


def test_thoughts_signed_by_one_model_reach_no_other(vendor, chat):
    signed = [{"type": "reasoning.encrypted", "data": "SIG"}]

    def answer(body):
        if any("SIG" in json.dumps(message) for message in body["messages"]):
            return refuses(400, "Invalid `signature` in `thinking` block")
        return says()

    vendor.answer = answer
    before = {"role": "assistant", "content": "Sure.", "reasoning_details": signed}
    messages = [{"role": "user", "content": "Plan."}, before, {"role": "user", "content": "Go on."}]
    assert {chat(messages=messages).status_code for _ in range(6)} == {200}


LIKELY = {"token": "The", "logprob": -0.1, "bytes": None, "top_logprobs": []}


def says_likely(logprobs):
    choice = {"message": SAID, "finish_reason": "stop", "logprobs": logprobs}
    return 200, {}, json.dumps({"choices": [choice], "usage": USAGE}).encode()


@pytest.mark.parametrize(
    "odd", ["yes", {"content": [{"token": "The"}]}, {"content": [{**LIKELY, "logprob": "-1"}]}]
)
def test_malformed_logprobs_are_a_failure_that_is_paid_for_and_another_model_is_asked(vendor, chat, odd):
    vendor.answer = lambda body: says_likely(
        odd if body["model"] == asked_models(vendor)[0] else {"content": [LIKELY]}
    )
    reply = chat(logprobs=True).json()
    assert reply["choices"][0]["logprobs"] == {"content": [LIKELY], "refusal": None}
    assert reply["x25"]["fallbacks"] == 1
    assert reply["model"] != asked_models(vendor)[0]
    assert reply["x25"]["cost_usd"] > 0
    vendor.answer = lambda body: says_likely(odd)
    assert chat().json()["choices"][0]["logprobs"] is None


@pytest.mark.parametrize("way", ["refuses", "passes over"])
def test_a_model_that_gives_no_logprobs_is_asked_for_them_once(vendor, chat, way):
    def answer(body):
        if body["model"] == "sim/large-5":
            return says_likely({"content": [LIKELY]})
        if way == "refuses" and "logprobs" in body:
            return refuses(400, "This model does not support logprobs.", param="logprobs")
        return says()

    vendor.answer = answer
    replies = [chat(logprobs=True, top_logprobs=1) for _ in range(8)]
    assert [one.status_code for one in replies] == [200] * 8
    assert {one.json()["model"] for one in replies} == {"sim/large-5"}
    asked = asked_models(vendor)
    assert all(asked.count(model) == 1 for model in set(asked) - {"sim/large-5"})
    assert all((body["logprobs"], body["top_logprobs"]) == (True, 1) for body in vendor.asked)
    vendor.asked.clear()
    assert chat(logprobs=False, top_logprobs=0).status_code == 200
    assert not {"logprobs", "top_logprobs"} & vendor.asked[0].keys()


def test_json_in_a_fence_is_delivered_alone_and_bought_once(vendor, chat):
    fenced = {"role": "assistant", "content": '```json\n{"capital": "Paris"}\n```'}
    vendor.answer = lambda _: says(fenced)
    reply = chat(response_format={"type": "json_object"}, x25={"optimize_for": {"quality": 0.5}}).json()
    assert json.loads(reply["choices"][0]["message"]["content"]) == {"capital": "Paris"}
    assert (len(vendor.asked), reply["x25"]["verdict"]["failed_check"]) == (1, None)
    assert reply["x25"]["verdict"]["unwrapped"] is True
    plain = chat().json()
    assert plain["choices"][0]["message"]["content"].startswith("```json")
    assert plain["x25"]["verdict"]["unwrapped"] is False


def test_a_vendor_that_wants_a_key_where_there_is_none_is_asked_once(vendor, chat):
    vendor.answer = lambda _: refuses(401, "Incorrect API key provided")
    error = chat().json()["error"]
    assert (error["code"], "sim/large-5: auth" in error["message"]) == ("call_failed", True)
    assert len(vendor.asked) == len(set(asked_models(vendor)))
