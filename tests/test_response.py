import httpx
import pytest

from x25.exceptions import MalformedReply
from x25.response import X25Response, json_object

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


def answer(**content):
    return httpx.Response(200, request=httpx.Request("GET", "http://gateway/stats/lab"), **content)


def test_additions_have_defaults_of_their_own():
    first, second = X25Response.from_json(REPLY), X25Response.from_json(REPLY)
    assert first == second
    assert (first.call_id, first.escalations, first.simulated, first.verdict) == ("", 0, False, {})
    assert first.verdict is not second.verdict


def test_fields_of_a_newer_gateway_are_left_out():
    response = X25Response.from_json(REPLY | {"tier": "slm", "from_the_future": 1})
    assert response.tier == "slm"
    assert not hasattr(response, "from_the_future")


def test_logprobs_are_handed_out_where_the_gateway_sends_them():
    said = {
        "content": [{"token": "Paris", "logprob": -0.1, "bytes": None, "top_logprobs": []}],
        "refusal": None,
    }
    assert X25Response.from_json(REPLY | {"logprobs": said}).logprobs == said
    assert X25Response.from_json(REPLY).logprobs is None


def test_response_is_frozen():
    with pytest.raises(AttributeError):
        X25Response.from_json(REPLY).text = "London"


@pytest.mark.parametrize("name", REPLY)
def test_missing_promised_field_is_named(name):
    reply = {key: value for key, value in REPLY.items() if key != name}
    with pytest.raises(MalformedReply, match=f"missing: {name}$"):
        X25Response.from_json(reply)


def test_response_prints_the_answer_and_one_line_of_facts():
    assert str(X25Response.from_json(REPLY)) == (
        "Paris\n[deepseek/deepseek-v4-flash | qa | $0.00012 | quality 0.93 | 412 ms | audit abababababab]"
    )
    unjudged = X25Response.from_json(REPLY | {"quality_score": None, "cost_usd": 0, "simulated": True})
    assert "| $0 | quality unknown |" in str(unjudged)
    assert str(unjudged).endswith("] (simulated)")


def test_json_object_is_returned_as_it_came():
    assert json_object(answer(json={"total_calls": 3})) == {"total_calls": 3}


@pytest.mark.parametrize(("content", "got"), [({"text": "<html>"}, "<html>"), ({"json": [1]}, "list")])
def test_anything_but_a_json_object_is_malformed(content, got):
    with pytest.raises(MalformedReply, match=rf"http://gateway/stats/lab: expected .* got .*{got}"):
        json_object(answer(**content))
