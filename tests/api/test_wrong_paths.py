import gzip
import json

import httpx
import pytest

CHAT = "/v1/chat/completions"


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("/v2/v1/chat/completions", CHAT),
        ("/v1/chat/completion", CHAT),
        ("/v1/response", "/v1/responses"),
    ],
)
def test_a_path_nobody_serves_is_told_with_the_one_that_was_meant(http: httpx.Client, path, meant) -> None:
    answer = http.post(path, json={})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (404, "not_found")
    assert error["message"] == f"there is no {path!r} here; did you mean {meant!r}?"


@pytest.mark.parametrize("path", ["/v1/files", "/robots.txt", "/" + "x" * 5_000])
def test_a_path_like_none_is_told_where_to_look(http: httpx.Client, path) -> None:
    said = http.get(path).json()["error"]["message"]
    assert said.endswith("here; /openapi.json lists what there is")
    assert len(said) < 200


def test_a_method_that_a_path_does_not_take_is_told_with_the_one_it_does(http: httpx.Client) -> None:
    answer = http.get(CHAT)
    assert answer.status_code == 405
    assert answer.json()["error"]["message"] == f"{CHAT!r} does not take GET, but {answer.headers['allow']}"


@pytest.mark.parametrize("coding", ["gzip", "zstd", "br"])
def test_a_packed_body_is_refused_by_name(http: httpx.Client, coding) -> None:
    body = gzip.compress(json.dumps({"model": "auto", "messages": []}).encode())
    answer = http.post(
        CHAT, content=body, headers={"content-type": "application/json", "content-encoding": coding}
    )
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["field"]) == (
        415,
        "unsupported_encoding",
        "content-encoding",
    )
    plain = {"content-type": "application/json", "content-encoding": "identity"}
    assert http.post(CHAT, content=b"{}", headers=plain).status_code == 422
