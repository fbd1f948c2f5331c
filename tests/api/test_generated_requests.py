"""Whatever a client sends: an answer or a refusal that names what is wrong, and never a failure of its own."""

import json
import os
import sqlite3

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from x25.routing.plan.chat_parameters import ChatParameters
from x25.routing.plan.request import ROLES

ORG = "generated"
ANSWERED, REFUSED = 200, {400, 404, 413, 422}

CASES = int(os.environ.get("X25_GENERATED_CASES", "2000"))
"""Others in each run; a change of what is taken in is worth X25_GENERATED_CASES=10000."""

texts = st.text(st.characters(exclude_categories=()), max_size=8)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | texts
    | st.sampled_from([2**63, -(2**70), 1e308, "auto", "function", "\ud800", "", "text"])
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


def mangled(known: dict[str, st.SearchStrategy], *, more: tuple[str, ...] = ()) -> st.SearchStrategy:
    """Objects with the keys they should have, each of its own kind or of any."""
    keys = st.sampled_from([*known, *more])
    return st.dictionaries(keys, st.none(), max_size=4).flatmap(
        lambda chosen: st.fixed_dictionaries({key: known.get(key, values) | values for key in chosen})
    )


functions = mangled(
    {"name": st.just("f"), "parameters": mangled({"type": st.just("object")}, more=("$ref",))}
)
tools = st.lists(
    mangled({"type": st.sampled_from(["function", "custom"]), "function": functions}), max_size=3
)
formats = mangled(
    {
        "type": st.sampled_from(["text", "json_object", "json_schema"]),
        "json_schema": mangled({"name": st.just("n"), "schema": values}, more=("strict",)),
    }
)
parts = mangled(
    {
        "type": st.sampled_from(["text", "image_url", "input_audio", "file", "refusal", "thinking"]),
        "text": texts,
        "image_url": mangled({"url": st.just("data:image/png;base64,iVBORw0KGgo=")}, more=("detail",)),
        "input_audio": mangled({"data": st.just("UklGRg=="), "format": st.just("wav")}),
        "file": mangled({"file_data": texts}, more=("filename", "file_id")),
    }
)
calls = mangled(
    {
        "id": st.just("c"),
        "type": st.just("function"),
        "function": mangled({"name": st.just("f")}, more=("arguments",)),
    }
)
messages = mangled(
    {
        "role": st.sampled_from(ROLES),
        "content": texts | st.lists(parts, max_size=3),
        "tool_calls": st.lists(calls, max_size=2),
        "function_call": mangled({"name": st.just("f")}, more=("arguments",)),
    },
    more=("name", "tool_call_id", "refusal", "audio", "reasoning_content", "annotations"),
)
special = {"tools": tools, "response_format": formats, "functions": st.lists(functions, max_size=2)}
options = mangled(
    {name: special.get(name, values) for name in ChatParameters.__annotations__}, more=("models", "x")
)
policies = mangled(
    {
        "max_cost_per_call_usd": st.just(1.0), "quality_bar": st.just(0.5), "max_tier": st.just("slm"),
        "required_capabilities": st.just(["tools"]), "budget_usd_per_day": st.just(100.0),
    },
    more=("allowed_providers", "prefer_modalities", "judged_share", "max_latency_ms", "nonsense"),
)  # fmt: skip
memories = mangled({"enabled": st.booleans(), "budget_tokens": st.integers(0, 500)})
wishes = {
    "policy": policies, "optimize_for": mangled({"cost": st.just(1)}), "hint": st.just("qa"), "memory": memories,
    "conversation_id": st.just("talk"),
}  # fmt: skip
question = st.just([{"role": "user", "content": "What is 2 + 2?"}])
conversations = question | st.lists(messages, min_size=1, max_size=3) | values
chats = st.tuples(
    st.fixed_dictionaries(
        {"model": st.sampled_from(["auto", "sim/tiny-1", "x25-classic"]) | texts, "messages": conversations}
    ),
    options,
    mangled({"x25": mangled(wishes), "stream": st.booleans()}, more=("stream_options", "prompt")),
).map(lambda drawn: ("/v1/chat/completions", {**drawn[1], **drawn[2], **drawn[0]}))
plain = st.tuples(
    mangled(
        {"prompt": st.just("hello"), "messages": conversations, "options": options, **wishes},
        more=("router", "call_id", "x"),
    ),
    st.sampled_from([{"prompt": "hello"}, {}]),
).map(lambda drawn: ("/route", {**drawn[1], **drawn[0]}))


def answered_or_refused(http: httpx.Client, path: str, body: dict) -> None:
    if path == "/route":
        body = {**body, "org": ORG}
    elif isinstance(body.get("x25"), dict):
        body = {**body, "x25": {**body["x25"], "org": ORG}}
    raw = json.dumps(body)
    answer = http.post(path, content=raw, headers={"content-type": "application/json"})
    if answer.status_code == ANSWERED:
        return
    error = answer.json()["error"]
    is_vendors_refusal = answer.status_code == 502 and {one["error"] for one in error["attempts"]} <= {
        "bad_request"
    }
    assert answer.status_code in REFUSED or is_vendors_refusal, (path, raw, answer.text)
    assert is_vendors_refusal or error["param"] or answer.status_code == 400, (path, raw, answer.text)


def nothing_is_left_open(database) -> None:
    with sqlite3.connect(database) as connection:
        (started,) = connection.execute("SELECT count(*) FROM attempts WHERE status = 'started'").fetchone()
    assert started == 0


@settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(request=chats | plain)
def test_a_request_of_any_shape_is_answered_or_refused(http: httpx.Client, request: tuple[str, dict]) -> None:
    answered_or_refused(http, *request)


@pytest.mark.slow
@settings(max_examples=CASES, deadline=None, suppress_health_check=list(HealthCheck))
@given(request=chats | plain)
def test_thousands_of_requests_of_any_shape_are_answered_or_refused(
    http: httpx.Client, request: tuple[str, dict]
) -> None:
    answered_or_refused(http, *request)


@pytest.mark.slow
def test_after_them_the_chain_is_whole_and_every_attempt_is_settled(http: httpx.Client, gateway) -> None:
    assert http.get("/verify").json()["intact"] is True
    nothing_is_left_open(gateway.database)
