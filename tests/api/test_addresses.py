import httpx
import pytest

CHAT = {"model": "single-model", "messages": [{"role": "user", "content": "What is 17 * 23?"}]}


@pytest.mark.parametrize(
    "path",
    [
        "/v1/chat/completions/",
        "/chat/completions",
        "/v1/v1/chat/completions",
        "/openai/v1/chat/completions",
        "/api/v1/chat/completions",
        "/v1/chat/completions?api-version=2024-10-21",
    ],
)
def test_a_base_url_that_is_a_part_too_long_or_short_leads_to_the_door_that_is_meant(
    http: httpx.Client, path
) -> None:
    answer = http.post(path, json=CHAT)
    assert (answer.status_code, answer.json()["object"]) == (200, "chat.completion")


def test_an_address_of_azure_names_the_model(http: httpx.Client) -> None:
    path = "/openai/deployments/no-such-model/chat/completions?api-version=2024-10-21"
    asked = {"messages": CHAT["messages"]}
    refused = http.post(path, json=asked)
    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "model_not_found")
    answer = http.post(path.replace("no-such-model", "single-model"), json=asked, headers={"api-key": "none"})
    assert answer.status_code == 200
    assert http.post(path, json=CHAT).status_code == 200  # what the body says is said more plainly
    assert http.post("/openai/deployments/a/audio/speech", json=asked).status_code == 404


@pytest.mark.parametrize("path", ["/v1/models", "/models", "/v1/models/", "/"])
def test_what_may_be_read_may_be_probed(http: httpx.Client, path) -> None:
    answer = http.head(path)
    assert (answer.status_code < 400, answer.content) == (True, b"")


def test_a_request_has_the_id_its_caller_gave_it_or_the_calls(http: httpx.Client) -> None:
    given = http.post("/v1/chat/completions", json=CHAT, headers={"x-request-id": "abc-123"})
    assert given.headers["x-request-id"] == given.headers["request-id"] == "abc-123"
    own = http.post("/v1/chat/completions", json=CHAT, headers={"x-request-id": "a b"})
    assert own.headers["x-request-id"] == own.headers["x-x25-call-id"]
    assert len(http.get("/v1/nothing").headers["x-request-id"]) == 32
