import pickle

import httpx
import pytest

from x25 import exceptions
from x25.exceptions import (
    BudgetExceeded,
    GatewayError,
    GatewayTimeout,
    GatewayUnreachable,
    InvalidRequest,
    Overloaded,
    QuotaExceeded,
    RateLimited,
    Unauthorized,
    UpstreamFailed,
    X25Error,
    error_from,
    named_failures,
)

REQUEST = httpx.Request(
    "POST",
    "http://gateway/route",
    headers={"Authorization": "Bearer sk-x25-0"},
    extensions={"timeout": {"read": 0.5}},
)
REFUSAL = {"error": {"type": "x", "code": "some_code", "message": "Say why.", "field": "policy"}}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidRequest), (404, InvalidRequest), (422, InvalidRequest), (401, Unauthorized),
        (403, Unauthorized), (402, BudgetExceeded), (429, RateLimited), (502, UpstreamFailed), (503, UpstreamFailed),
        (504, UpstreamFailed), (307, GatewayError), (409, GatewayError), (500, GatewayError),
    ],
)  # fmt: skip
def test_each_status_has_its_error(status, kind):
    error = error_from(httpx.Response(status, json=REFUSAL, headers={"Retry-After": "1.5"}))
    assert type(error) is kind
    assert (error.status, error.code, error.message) == (status, "some_code", "Say why.")
    assert (error.field, error.body, error.retry_after_s) == ("policy", REFUSAL, 1.5)
    assert str(error) == f"HTTP {status} some_code: Say why. (field: policy)"


def test_a_gateway_that_is_overloaded_has_its_own():
    refusal = {"error": {"type": "server_error", "code": "overloaded", "message": "Later."}}
    error = error_from(httpx.Response(503, json=refusal, headers={"Retry-After": "2"}))
    assert (type(error), error.retry_after_s) == (Overloaded, 2.0)


def test_a_quota_of_tokens_is_a_ceiling_with_an_error_of_its_own():
    error = error_from(httpx.Response(402, json={"error": {"code": "quota_exceeded", "message": "No."}}))
    assert type(error) is QuotaExceeded
    assert isinstance(error, BudgetExceeded)


def test_error_of_another_shape_keeps_its_text():
    headers = {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}
    error = error_from(httpx.Response(502, text="<h1>Bad gateway</h1>", headers=headers))
    assert str(error) == "HTTP 502 http_502: <h1>Bad gateway</h1>"
    assert (error.field, error.body, error.retry_after_s) == (None, "<h1>Bad gateway</h1>", None)


@pytest.mark.parametrize("body", [[1], {"error": "no"}, {"error": {}}, {}])
def test_error_without_details_is_named_by_its_status(body):
    error = error_from(httpx.Response(500, json=body))
    assert (error.code, error.body) == ("http_500", body)


def test_empty_error_says_the_reason_phrase():
    assert str(error_from(httpx.Response(503))) == "HTTP 503 http_503: Service Unavailable"


def test_gateway_error_survives_pickling():
    error = RateLimited(429, "rate_limit", "Slow down.", None, {"a": 1}, 2.0)
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), vars(copy)) == (RateLimited, str(error), vars(error))


@pytest.mark.parametrize(
    ("failure", "kind", "sentence"),
    [
        (httpx.ReadTimeout("late"), GatewayTimeout, r"http://gateway/route within 0.5 s \(ReadTimeout\)"),
        (httpx.ConnectError("refused"), GatewayUnreachable, r"http://gateway/route \(refused\).*x25 serve"),
        (httpx.RemoteProtocolError("broke"), GatewayUnreachable, r"\(broke\)"),
    ],
)
def test_failures_of_the_network_are_named_and_keep_their_cause(failure, kind, sentence):
    with pytest.raises(kind, match=sentence) as caught, named_failures(REQUEST):
        raise failure
    assert caught.value.__cause__ is failure
    assert "sk-x25-0" not in str(caught.value)


def test_failures_of_the_program_pass_unchanged():
    with pytest.raises(ZeroDivisionError), named_failures(REQUEST):
        _ = 1 / 0


def test_every_public_error_is_an_x25_error():
    errors = {
        name: value
        for name, value in vars(exceptions).items()
        if isinstance(value, type) and issubclass(value, Exception)
    }
    assert set(errors) == set(exceptions.__all__)
    assert all(issubclass(error, X25Error) for error in errors.values())
