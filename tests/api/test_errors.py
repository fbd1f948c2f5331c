import logging
from collections.abc import Callable

import httpx
import pytest
from fastapi import FastAPI

from x25.api.errors import ERROR_TO_STATUS, error_body, install, status_of
from x25.state import errors


def failed(*codes: str) -> errors.CallFailed:
    return errors.CallFailed("no model answered", attempts=[{"error": code} for code in codes], call_id="c1")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.InvalidRequest("wrong", field="hint"), 422),
        (errors.NoEligibleModel("none", removed={"m": "max_tier"}), 422),
        (errors.PromptTooLong("prompt is too long", removed={"m": "context length"}), 400),
        (errors.WindowExceeded("prompt is too long", attempts=[]), 400),
        (errors.Unauthorized("no key"), 401),
        (errors.Forbidden("not yours"), 403),
        (errors.NotFound("no call"), 404),
        (errors.StoreError("disk full"), 503),
        (errors.ChainBroken("fork"), 503),
        (failed("timeout", "timeout"), 504),
        (errors.AllBusy("busy", attempts=[], retry_after_s=2.0), 503),
        (errors.RequestRefused("a schema is wrong", attempts=[]), 400),
        (failed("timeout", "rate_limit"), 502),
        (failed(), 502),
        (errors.ConfigError("a file is wrong"), 500),
        (errors.ProviderTimeout("late"), 500),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
async def test_each_error_has_its_status_and_the_one_shape(error: errors.X25Error, status: int) -> None:
    answer = await answer_to(error)
    assert status_of(error) == answer.status_code == status
    body = answer.json()["error"]
    assert body.keys() >= {"type", "code", "message", "field", "param"}
    assert (body["code"], body["param"]) == (error.code, body["field"])
    is_told = status < 500
    assert (body["message"] == str(error)) is is_told
    assert body["type"] == "invalid_request_error" or status >= 500


@pytest.mark.parametrize(("wait_s", "header"), [(0.0, "1"), (6.2, "7"), (300.0, "300")])
async def test_whoever_finds_all_busy_is_told_when_to_come_back(wait_s: float, header: str) -> None:
    answer = await answer_to(errors.AllBusy("busy", attempts=[], retry_after_s=wait_s))
    assert answer.headers["retry-after"] == header


async def answer_to(error: Exception) -> httpx.Response:
    app = FastAPI()
    install(app)

    @app.get("/")
    async def fail() -> None:
        raise error

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://x25.test") as client:
        return await client.get("/")


async def test_what_helps_to_act_is_beside_the_message() -> None:
    removed = (await answer_to(errors.NoEligibleModel("none", removed={"m": "max_tier"}))).json()["error"]
    attempts = (await answer_to(failed("timeout"))).json()["error"]
    assert (removed["field"], removed["removed"]) == ("policy", {"m": "max_tier"})
    assert (attempts["attempts"], attempts["call_id"]) == ([{"error": "timeout"}], "c1")


async def test_only_a_missing_key_asks_for_one() -> None:
    assert (await answer_to(errors.Unauthorized("no key"))).headers["WWW-Authenticate"] == "Bearer"
    assert "WWW-Authenticate" not in (await answer_to(errors.Forbidden("not yours"))).headers


async def test_failures_of_ours_are_logged_and_those_of_the_caller_are_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING, logger="x25"):
        await answer_to(errors.InvalidRequest("wrong", field="hint"))
        assert not caplog.records
        await answer_to(errors.StoreError("disk full"))
    assert caplog.messages == ["store_error: disk full"]


async def test_a_failure_inside_shows_no_path_of_the_server() -> None:
    answer = await answer_to(
        errors.StoreError("database sqlite:////srv/secret/x25.db refused to write: full")
    )
    assert answer.json()["error"]["message"] == "the store cannot be used; its log has the details"
    assert "/srv" not in answer.text


async def test_a_caller_that_asked_too_often_is_told_when_to_come_back() -> None:
    answer = await answer_to(errors.TooManyRequests("slow down", retry_after_s=7))
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert answer.json()["error"]["code"] == "rate_limit_exceeded"


async def test_a_bug_keeps_the_shape_and_shows_nothing_of_the_inside() -> None:
    answer = await answer_to(KeyError("/secret/path"))
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal_error"
    assert "KeyError" in answer.json()["error"]["message"]
    assert "secret" not in answer.text


def test_every_error_of_the_caller_is_mapped_by_its_own_or_its_parents_name() -> None:
    reaching = {
        errors.InvalidRequest,
        errors.Unauthorized,
        errors.Forbidden,
        errors.NotFound,
        errors.CallFailed,
    }
    assert reaching <= ERROR_TO_STATUS.keys()


def test_the_body_repeats_the_field_under_the_name_openai_clients_read() -> None:
    assert error_body("c", "m", kind="k", field="f", more=1) == {
        "error": {"type": "k", "code": "c", "message": "m", "field": "f", "param": "f", "more": 1}
    }


def test_a_name_as_long_as_the_body_is_not_repeated_whole() -> None:
    error = error_body("c", "m" * 9_000, kind="k", field="f" * 9_000)["error"]
    assert (len(error["message"]), len(error["field"]), len(error["param"])) == (8_001, 300, 300)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/route", 405),
        ("POST", "/stats/all", 405),
        ("POST", "/route", 422),
        ("POST", "/v1/chat/completions", 422),
        ("GET", "/stats/Not-An-Org", 422),
        ("GET", "/stage/%00", 422),
        ("GET", "/thompson/%ED%A0%80", 422),
        ("GET", "/verify?org=", 422),
        ("GET", "/keys/me", 401),
        ("GET", "/stats", 404),
        ("GET", "/v1/models/nobody/here", 404),
        ("GET", "/stage/all", 422),
    ],
)
def test_every_refusal_over_the_wire_has_the_one_shape(
    http: httpx.Client, method: str, path: str, status: int
) -> None:
    answer = http.request(method, path)
    assert answer.status_code == status, answer.text
    assert answer.json().keys() == {"error"}
    assert answer.json()["error"].keys() >= {"type", "code", "message", "field", "param"}
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_a_failed_call_over_the_wire_has_it_too(http: httpx.Client, fault: Callable[[str], None]) -> None:
    fault("500")
    for path, body in (
        ("/route", {"prompt": "x"}),
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": "x"}]}),
    ):
        answer = http.post(path, json=body)
        assert (answer.status_code, answer.json()["error"]["type"]) == (502, "upstream_error")
        assert answer.json()["error"]["attempts"]


async def test_a_stage_that_is_not_reached_says_what_is_needed() -> None:
    early = errors.StageNotReached("feedback opens later", calls_needed=7, stage=1, required_stage=3)
    answer = await answer_to(early)
    told = answer.json()["error"]
    assert (answer.status_code, told["code"]) == (403, "stage_not_reached")
    assert (told["calls_needed"], told["stage"], told["required_stage"]) == (7, 1, 3)


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (
            errors.BudgetExceeded("spent", removed={"m": "key_budget_usd_per_day: spent"}),
            402,
            "insufficient_quota",
        ),
        (errors.TooManyRequests("wait", retry_after_s=9), 429, "requests"),
        (errors.ExpiredToken("over"), 401, "invalid_request_error"),
    ],
)
async def test_refusals_of_a_key_have_the_types_that_clients_of_openai_know(
    error, status: int, kind: str
) -> None:
    answer = await answer_to(error)
    assert (answer.status_code, answer.json()["error"]["type"]) == (status, kind)
    assert answer.headers.get("WWW-Authenticate") == ("Bearer" if status == 401 else None)
    assert answer.headers.get("Retry-After") == ("9" if status == 429 else None)
