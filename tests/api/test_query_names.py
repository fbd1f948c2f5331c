"""Every door that is ours, as the gateway describes it: a query that it does not know is refused by name."""

import json
import re

import httpx
import pytest

from x25.api.app import OTHERS, create_app

DESCRIBED = create_app().openapi()["paths"]
"""What a gateway publishes of its doors."""
OPERATIONS = [
    (method.upper(), path, tuple(one["name"] for one in door.get("parameters", ()) if one["in"] == "query"))
    for path, doors in DESCRIBED.items()
    for method, door in doors.items()
]
THEIRS = {one.path_format for room in OTHERS for one in room.router.routes}
OURS = [one for one in OPERATIONS if one[1] not in THEIRS]
VALUES = re.compile("{[^}]+}")
NAMED = [(*one[:2], name) for one in OURS for name in one[2]]
HIDDEN = [("HEAD", path, ()) for path in ("/healthz", "/livez", "/readyz")]


def ask(http: httpx.Client, method: str, path: str, query: str) -> httpx.Response:
    body = {"json": {}} if method in {"POST", "PUT", "PATCH"} else {}
    return http.request(method, f"{VALUES.sub('x', path)}?{query}", **body)


def test_all_doors_are_ours_but_those_of_vendors_clients_and_prometheus() -> None:
    assert {path for _, path, _ in OPERATIONS} - {path for _, path, _ in OURS} == {
        path for path in DESCRIBED if path.startswith("/v1/") or path == "/metrics"
    }
    assert len(OURS) >= 40
    assert len(NAMED) >= 15


@pytest.mark.parametrize(("method", "path", "known"), [*OURS, *HIDDEN], ids=str)
def test_a_name_that_a_door_does_not_know_is_refused(
    http: httpx.Client, method: str, path: str, known: tuple[str, ...]
) -> None:
    answer = ask(http, method, path, "qqqqqq=1")
    assert answer.status_code == 422, answer.text
    if method != "HEAD":
        error = answer.json()["error"]
        assert (error["code"], error["field"]) == ("invalid_request", "qqqqqq")
        assert all(name in error["message"] for name in known)


@pytest.mark.parametrize(("method", "path", "name"), NAMED)
def test_a_misspelt_name_is_refused_with_the_one_that_was_meant(
    http: httpx.Client, method: str, path: str, name: str
) -> None:
    error = ask(http, method, path, f"{name[:-1]}=1").json()["error"]
    assert error["message"].endswith(f"did you mean {name!r}?")
    assert error["field"] == name[:-1]


@pytest.mark.parametrize(("method", "path", "name"), NAMED)
def test_a_name_that_is_given_twice_is_refused_since_one_of_both_would_be_dropped(
    http: httpx.Client, method: str, path: str, name: str
) -> None:
    error = ask(http, method, path, f"{name}=1&{name}=2").json()["error"]
    assert error["message"] == f"query parameter {name!r} is given more than once"


def test_an_erasure_that_names_its_user_wrongly_erases_nothing(http: httpx.Client, route, org: str) -> None:
    call_id = route(user_id="ada")["call_id"]
    refused = http.delete(f"/api/calls/{call_id}", params={"org": org, "user": "bob"})
    assert refused.status_code == 422
    assert "did you mean 'user_id'?" in refused.json()["error"]["message"]
    assert http.get("/api/history", params={"org": org}).json()["total"] == 1
    assert http.delete(f"/api/calls/{call_id}", params={"org": org, "user_id": "ada"}).status_code == 200


@pytest.mark.parametrize("path", ["/route", "/api/route"])
def test_a_call_that_says_something_behind_its_path_is_neither_made_nor_decided(
    http: httpx.Client, org: str, path: str
) -> None:
    answer = http.post(path, params={"org": org}, json={"prompt": "What is 17 * 23?"})
    assert answer.status_code == 422
    assert answer.json()["error"]["message"].endswith("this door takes none, but a body")
    assert http.get("/api/history", params={"org": org}).json()["total"] == 0


@pytest.mark.parametrize(
    "name", ["ü", "%F0%9F%A6%93", "a%00b", "a%0Ab", "", "x" * 5_000, "org[]", " org", "ORG", "%FF"]
)
def test_names_of_any_letters_are_told_whole_or_cut(http: httpx.Client, name: str) -> None:
    answer = http.get(f"/verify?{name}=1")
    assert answer.status_code == 422, answer.text
    error = answer.json()["error"]
    assert "is not known here" in error["message"]
    assert len(json.dumps(error)) < 2_000


def test_vendors_clients_may_send_what_says_nothing_here(http: httpx.Client) -> None:
    body = {"max_tokens": 9, "messages": [{"role": "user", "content": "What is 17 * 23?"}]}
    assert http.post("/v1/messages?beta=true", json=body).status_code == 200
    assert http.get("/metrics?x=1").status_code == 200
