"""Requests made up from the published description.

Whatever comes, there is no failure of the gateway's own, and no reply that the description does not know.
"""

import json
import time
from collections.abc import Callable

import httpx
import hypothesis
import pytest
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance

pytestmark = pytest.mark.slow

EXAMPLES = 12
TALK = {"messages": [{"role": "user", "content": "hi"}]}


CHECKS = [not_a_server_error, response_schema_conformance]
bounded = hypothesis.settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(hypothesis.HealthCheck)
)


def make_up_requests(url: str, check: Callable[[schemathesis.Case], object]) -> int:
    """Try every operation that a gateway describes; return how many there are."""
    operations = [
        found.ok() for found in schemathesis.openapi.from_url(f"{url}/openapi.json").get_all_operations()
    ]
    for operation in operations:

        @bounded
        @hypothesis.given(case=operation.as_strategy())
        def one(case: schemathesis.Case) -> None:
            check(case)

        one()
    return len(operations)


def test_an_open_gateway_answers_or_refuses_all_of_it(gateway) -> None:
    assert make_up_requests(gateway.url, lambda case: case.call_and_validate(checks=CHECKS)) >= 17


def test_so_does_one_with_keys_for_who_has_one(strict_gateway) -> None:
    key = {"authorization": f"Bearer {strict_gateway.new_key('made-up')}"}
    make_up_requests(strict_gateway.url, lambda case: case.call_and_validate(checks=CHECKS, headers=key))


def test_and_for_who_has_none(strict_gateway) -> None:
    def check(case: schemathesis.Case) -> None:
        answer = case.call()
        case.validate_response(answer, checks=CHECKS)
        assert answer.status_code >= 400 or case.operation.path in {"/healthz", "/livez", "/readyz"}

    make_up_requests(strict_gateway.url, check)


DOORS: dict[str, Callable[[str], dict]] = {
    "/route": lambda text: {"prompt": text},
    "/v1/chat/completions": lambda text: {"messages": [{"role": "user", "content": text}]},
    "/v1/completions": lambda text: {"prompt": text},
    "/v1/responses": lambda text: {"input": text},
    "/v1/messages": lambda text: {"max_tokens": 9, "messages": [{"role": "user", "content": text}]},
    "/v1/embeddings": lambda text: {"model": "x25-embed", "input": text},
}


@pytest.mark.parametrize("door", DOORS)
def test_a_million_characters_are_answered_or_refused_in_bounded_time(http: httpx.Client, door: str) -> None:
    began_s = time.monotonic()
    answer = http.post(door, json=DOORS[door]("word " * 200_000))
    assert answer.status_code in {200, 400, 422}, answer.text[:500]
    assert time.monotonic() - began_s < 20


@pytest.mark.parametrize("door", DOORS)
def test_fifty_megabytes_are_refused_unread(http: httpx.Client, door: str) -> None:
    began_s = time.monotonic()
    answer = http.post(door, json=DOORS[door]("x" * 50_000_000))
    assert answer.status_code == 413
    assert time.monotonic() - began_s < 20


@pytest.mark.parametrize("depth", [100, 5_000])
@pytest.mark.parametrize("door", DOORS)
def test_deep_json_is_refused_by_name(http: httpx.Client, door: str, depth: int) -> None:
    deep = "[" * depth + "]" * depth
    for body in (
        deep,
        json.dumps(DOORS[door]("hi"))[:-1] + f', "x25": {deep}}}',
        f'{{"input": {deep}, "prompt": {deep}}}',
    ):
        answer = http.post(door, content=body, headers={"content-type": "application/json"})
        assert answer.status_code == 422, answer.text[:500]
        assert answer.json()["error"]["message"]
