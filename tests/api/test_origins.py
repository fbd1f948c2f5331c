import httpx
import pytest

from x25.api.origins import host_of, names


@pytest.mark.parametrize(
    ("header", "host"),
    [
        ("localhost:8000", "localhost"),
        ("127.0.0.1", "127.0.0.1"),
        ("[::1]:8000", "::1"),
        ("Evil.Example.:80", "evil.example"),
        ("", ""),
    ],
)
def test_a_host_is_told_without_its_port(header: str, host: str) -> None:
    assert host_of(header) == host


def test_a_setting_lists_names() -> None:
    assert names(" a, b ,,c") == ["a", "b", "c"]
    assert names("") == []


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.1.nip.io"]
)
@pytest.mark.parametrize("path", ["/healthz", "/stats/all", "/v1/models"])
def test_a_gateway_on_loopback_does_not_answer_to_another_name(
    http: httpx.Client, host: str, path: str
) -> None:
    answer = http.get(path, headers={"host": host})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "host_not_allowed")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:9", "[::1]"])
def test_it_answers_to_its_own(http: httpx.Client, host: str) -> None:
    assert http.get("/healthz", headers={"host": host}).status_code == 200


@pytest.mark.slow
def test_names_can_be_set(start_gateway) -> None:
    url = start_gateway(X25_ALLOWED_HOSTS="llm.example, other.example").url
    assert httpx.get(f"{url}/healthz", headers={"host": "llm.example"}).status_code == 200
    assert httpx.get(f"{url}/healthz").status_code == 403


PAGE = "https://page.example"


async def test_no_page_may_read_replies_unless_it_is_named(open_app) -> None:
    async with open_app() as client:
        answer = await client.get("/healthz", headers={"origin": PAGE})
        assert "access-control-allow-origin" not in answer.headers
        asked = {"origin": PAGE, "access-control-request-method": "POST"}
        assert (await client.options("/v1/chat/completions", headers=asked)).status_code == 405
    async with open_app("named", cors_origins=PAGE) as client:
        asked = {
            "origin": PAGE, "access-control-request-method": "POST",
            "access-control-request-headers": "authorization,content-type",
        }  # fmt: skip
        preflight = await client.options("/v1/chat/completions", headers=asked)
        assert preflight.status_code == 200
        assert preflight.headers["access-control-allow-origin"] == PAGE
        answer = await client.get("/healthz", headers={"origin": PAGE})
        assert answer.headers["access-control-allow-origin"] == PAGE
        other = await client.get("/healthz", headers={"origin": "https://other.example"})
        assert "access-control-allow-origin" not in other.headers


async def test_a_refusal_can_be_read_by_the_page_too(open_app) -> None:
    async with open_app(cors_origins="*", max_body_bytes=10) as client:
        answer = await client.post("/route", json={"prompt": "x" * 50}, headers={"origin": PAGE})
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (413, "*")


@pytest.mark.parametrize("origin", [PAGE, "null", "http://localhost:1"])
async def test_a_strange_page_changes_nothing_without_a_key(open_app, origin) -> None:
    async with open_app() as client:
        plain = {"origin": origin, "content-type": "text/plain"}
        answer = await client.post("/improve/default", headers=plain)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "origin_not_allowed")
        own = {"origin": str(client.base_url).rstrip("/")}
        assert (await client.post("/route", json={"prompt": "hi"}, headers=own)).status_code == 200
        assert (await client.get("/healthz", headers={"origin": origin})).status_code == 200
    async with open_app("named", cors_origins=origin) as client:
        assert (
            await client.post("/route", json={"prompt": "hi"}, headers={"origin": origin})
        ).status_code == 200
