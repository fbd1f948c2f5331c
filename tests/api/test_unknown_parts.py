"""Every door that is ours, as the gateway describes it: what it does not know of a request is refused by name."""

import json
import re

import httpx
import pytest

from x25.api.app import OTHERS, create_app
from x25.api.unknown_parts import WITHOUT_BODY

DESCRIPTION = create_app().openapi()
DESCRIBED = DESCRIPTION["paths"]
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
PROBES = ("/healthz", "/livez", "/readyz")


def ask(http: httpx.Client, method: str, path: str, query: str) -> httpx.Response:
    body = {"json": {}} if method in {"POST", "PUT", "PATCH"} else {}
    return http.request(method, f"{VALUES.sub('x', path)}?{query}", **body)


def test_all_doors_are_ours_but_those_of_vendors_clients_prometheus_and_probes() -> None:
    assert {path for _, path, _ in OPERATIONS} - {path for _, path, _ in OURS} == {
        path for path in DESCRIBED if path.startswith("/v1/") or path in {"/metrics", *PROBES}
    }
    assert len(OURS) >= 35
    assert len(NAMED) >= 15


@pytest.mark.parametrize(("method", "path", "known"), OURS, ids=str)
def test_a_name_that_a_door_does_not_know_is_refused(
    http: httpx.Client, method: str, path: str, known: tuple[str, ...]
) -> None:
    answer = ask(http, method, path, "qqqqqq=1")
    assert answer.status_code == 422, answer.text
    error = answer.json()["error"]
    assert (error["code"], error["field"]) == ("invalid_request", "qqqqqq")
    assert all(name in error["message"] for name in known)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", PROBES)
def test_a_probe_may_send_what_it_likes(http: httpx.Client, method: str, path: str) -> None:
    assert ask(http, method, path, "_=1764385200").status_code == 200


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


BODILESS = [one for one in OURS if one[0] in WITHOUT_BODY]


def test_doors_of_methods_without_a_body_describe_none_and_all_others_one() -> None:
    described = {(method.upper(), path) for path, doors in DESCRIBED.items() for method, door in doors.items()
                 if "requestBody" in door}  # fmt: skip
    assert described & {one[:2] for one in OURS} == {one[:2] for one in OURS if one not in BODILESS}


@pytest.mark.parametrize(("method", "path"), [one[:2] for one in BODILESS])
def test_a_body_that_nobody_reads_is_refused(http: httpx.Client, method: str, path: str) -> None:
    url = VALUES.sub("x", path)
    refused = http.request(method, url, json={"user_id": "ada", "org": "mine"})
    assert (refused.status_code, refused.json()["error"]["field"]) == (422, "body")
    if method == "GET":
        for nothing in (b"{}", b" null ", b""):
            usual = http.get(url)
            assert http.request(method, url, content=nothing).status_code == usual.status_code


def test_an_erasure_whose_body_names_the_user_erases_nothing(http: httpx.Client, route, org: str) -> None:
    call_id = route(user_id="ada")["call_id"]
    path = f"/api/calls/{call_id}?org={org}"
    assert http.request("DELETE", path, json={"user_id": "bob"}).status_code == 422
    assert http.get("/api/history", params={"org": org}).json()["total"] == 1


@pytest.mark.parametrize(("method", "path"), [one[:2] for one in OURS if one not in BODILESS])
def test_a_field_that_a_body_does_not_know_is_refused(http: httpx.Client, method: str, path: str) -> None:
    content = DESCRIBED[path][method.lower()]["requestBody"]["content"]["application/json"]["schema"]
    name = next((one["$ref"] for one in (content, *content.get("anyOf", ())) if "$ref" in one), None)
    answer = http.request(method, VALUES.sub("x", path), json={"qqqqqq": 1})
    assert answer.status_code == 422
    if name is None:  # an org's settings: a free object, which is checked by its own rules
        assert "qqqqqq" in answer.json()["error"]["message"]
        return
    schema = DESCRIPTION["components"]["schemas"][name.rpartition("/")[2]]
    assert schema["additionalProperties"] is False


CALLS = {
    "/route": {"prompt": "What is 17 * 23?"},
    "/v1/chat/completions": {"messages": [{"role": "user", "content": "What is 17 * 23?"}]},
    "/v1/responses": {"input": "What is 17 * 23?"},
    "/v1/messages": {"max_tokens": 9, "messages": [{"role": "user", "content": "What is 17 * 23?"}]},
    "/v1/completions": {"prompt": "What is 17 * 23?"},
}


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON"])
@pytest.mark.parametrize("path", CALLS)
@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ([("x-x25-conversation", "a")], "did you mean 'x-x25-conversation-id'?"),
        ([("X-X25-Org", "acme")], "all else goes into the body"),
        ([("x-x25-mode", "proxy"), ("X-X25-MODE", "full")], "given twice, with two values"),
        ([("x-x25-" + "y" * 3_000, "1")], "is not known here"),
    ],
)
def test_a_header_of_ours_that_is_none_is_refused_on_both_ways(
    http: httpx.Client, kind: str, path: str, headers: list, said: str
) -> None:
    raw = json.dumps(CALLS[path])
    answer = http.post(path, content=raw, headers=[("content-type", kind), *headers])
    assert answer.status_code in {400, 422}, answer.text
    assert said in answer.json()["error"]["message"]


def test_headers_of_ours_and_of_another_gateway_pass_everywhere(http: httpx.Client, org: str) -> None:
    headers = [
        ("x-x25-mode", "proxy"),
        ("x-x25-mode", "proxy"),
        ("x-x25-conversation-id", "c"),
        ("x-x25-gateway", "g"),
    ]
    assert http.get(f"/stats/{org}", headers=headers).status_code == 200
    assert http.post("/route", json=CALLS["/route"], headers=headers).status_code == 200
    assert http.get(f"/stats/{org}", headers=[("x-x25-user", "ada")]).status_code == 422


def test_every_door_of_ours_describes_the_refusal() -> None:
    assert all("422" in DESCRIBED[path][method.lower()]["responses"] for method, path, _ in OURS)
