import json
from datetime import UTC, datetime

import aiohttp
import httpx
import pytest

from x25.providers.errors_map import (
    HttpAnswer,
    error_from_aiohttp,
    error_from_httpx,
    error_from_response,
    logged,
    redact,
)
from x25.state.errors import (
    BeyondAllowance,
    ContentFiltered,
    ContextLengthExceeded,
    MalformedRequest,
    ModelGone,
    ProviderAuth,
    ProviderBadRequest,
    ProviderBilling,
    ProviderConnection,
    ProviderForbidden,
    ProviderMalformed,
    ProviderRateLimit,
    ProviderServer,
    ProviderTimeout,
    Unsupported,
)

REQUEST = httpx.Request("POST", "http://upstream.invalid/v1/chat/completions")


def vendor(message, **extra):
    return json.dumps({"error": {"message": message, **extra}})


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, vendor("bad key"), ProviderAuth),
        (403, vendor("not allowed"), ProviderForbidden),
        (402, vendor("pay first"), ProviderBilling),
        (402, vendor("requires more credits, or fewer max_tokens. You can only afford 9"), BeyondAllowance),
        (429, vendor("Request too large for m on tokens per min: Limit 9, Requested 99"), BeyondAllowance),
        (402, vendor("Insufficient credits. Add more"), ProviderBilling),
        (429, vendor("quota", code="insufficient_quota"), ProviderBilling),
        (429, vendor("add credits to your account"), ProviderBilling),
        (400, vendor("Your credit balance is too low"), ProviderBilling),
        (400, vendor("x", type="insufficient_quota"), ProviderBilling),
        (400, vendor("messages.0: not a role in 'your credit balance is too low'"), ProviderBadRequest),
        (400, "Error code: 400 - {'error': {'message': 'Your credit balance is too low'}}", ProviderBilling),
        (
            400,
            "Error code: 400 - {'message': \"no 'message': 'credit balance is too low'\"}",
            ProviderBadRequest,
        ),
        (400, vendor("bad role", input="insufficient_quota"), ProviderBadRequest),
        (
            403,
            vendor("m requires moderation. Your input was flagged. No credits were charged."),
            ContentFiltered,
        ),
        (403, vendor("not allowed", metadata={"flagged_input": "my credit card billing"}), ProviderForbidden),
        (403, json.dumps({"error": "Your team doesn't have any credits yet", "code": "x"}), ProviderBilling),
        (403, "no billing account", ProviderBilling),
        (403, vendor("Key limit exceeded (monthly limit)."), ProviderBilling),
        (429, vendor("slow down"), ProviderRateLimit),
        (
            429,
            vendor("Rate limit reached for m: Limit 3. Upgrade at https://x.example/billing"),
            ProviderRateLimit,
        ),
        (
            429,
            vendor("Quota exceeded, check your billing details. Please retry in 21.9s."),
            ProviderRateLimit,
        ),
        (
            429,
            vendor("You exceeded your current quota, check your plan and billing details"),
            ProviderBilling,
        ),
        (429, vendor("Rate limit", type="insufficient_quota"), ProviderBilling),
        (400, vendor("maximum context length is 8192 tokens"), ContextLengthExceeded),
        (413, vendor("too many tokens"), ContextLengthExceeded),
        (422, vendor("x", code="context_length_exceeded"), ContextLengthExceeded),
        (400, vendor("tools[0].name: expected text, the credit card field"), ProviderBadRequest),
        (404, vendor("no such model"), ModelGone),
        (408, "", ProviderTimeout),
        (409, vendor("another request holds the lock"), ProviderServer),
        (409, vendor("maximum context length is 8192 tokens"), ContextLengthExceeded),
        (500, "<html>oops</html>", ProviderServer),
        (529, vendor("overloaded"), ProviderRateLimit),
        (307, "", ProviderMalformed),
    ],
)
def test_a_status_and_its_body_name_the_failure(status, body, kind):
    error = error_from_response(HttpAnswer(status, {}, body.encode()), deployment="acme")
    assert type(error) is kind
    assert error.status == status
    assert str(error).startswith(f"acme answered {status}: ")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("1.5", 1.5),
        ("Fri, 20 Nov 2026 12:00:30 GMT", 30.0),
        ("Fri, 20 Nov 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("-3", None),
        ("nan", None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_read_as_seconds_or_as_a_date(value, seconds, status):
    now = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    error = error_from_response(HttpAnswer(status, {"retry-after": value}, ""), deployment="acme", now=now)
    assert error.retry_after_s == seconds


def test_a_refusal_is_free_and_a_gateway_timeout_may_not_be():
    billed = {
        s: error_from_response(HttpAnswer(s, {}, ""), deployment="a").may_have_billed
        for s in (400, 401, 429, 500, 503, 504)
    }
    assert billed == {400: False, 401: False, 429: False, 500: False, 503: False, 504: True}


def test_the_vendors_words_are_quoted_up_to_two_hundred_characters():
    error = error_from_response(HttpAnswer(400, {}, vendor("x" * 5000)), deployment="acme")
    assert str(error) == "acme answered 400: " + "x" * 200


@pytest.mark.parametrize(
    "text",
    [
        "key sk-proj-abc123DEF",
        "Authorization: Bearer abcdef",
        "AIzaSyA1234567890",
        "xai-abcdefgh",
        "sk-ab***yz",
    ],
)
def test_whatever_looks_like_a_key_is_redacted(text):
    secret = text.split()[-1]
    assert secret not in redact(text)
    assert "[redacted]" in redact(text)


def test_ordinary_words_are_not_redacted():
    assert redact("task-specific keys, ask-me") == "task-specific keys, ask-me"


def test_the_key_that_was_sent_is_never_quoted_back():
    error = error_from_response(
        HttpAnswer(401, {}, vendor("bad key odd.format=1")), deployment="acme", secret="odd.format=1"
    )
    assert str(error) == "acme answered 401: bad key [redacted]"


@pytest.mark.parametrize(
    ("exc", "kind", "billed"),
    [
        (httpx.ConnectTimeout("t"), ProviderTimeout, False),
        (httpx.PoolTimeout("t"), ProviderTimeout, False),
        (httpx.ReadTimeout("t"), ProviderTimeout, True),
        (httpx.ConnectError("refused"), ProviderConnection, False),
        (httpx.RemoteProtocolError("closed"), ProviderConnection, True),
        (httpx.ReadError("reset"), ProviderConnection, True),
        (httpx.DecodingError("gzip"), ProviderMalformed, True),
    ],
)
def test_a_failed_exchange_says_whether_it_may_have_been_billed(exc, kind, billed):
    error = error_from_httpx(exc, deployment="acme")
    assert (type(error), error.may_have_billed) == (kind, billed)
    assert "acme" in str(error)


UNREACHABLE = aiohttp.client_reqrep.ConnectionKey("acme.example", 443, True, True, None, None, None)


@pytest.mark.parametrize(
    ("exc", "kind", "billed"),
    [
        (aiohttp.ConnectionTimeoutError("https://acme.example/?key=k"), ProviderTimeout, False),
        (aiohttp.ClientConnectorError(UNREACHABLE, OSError(111, "refused")), ProviderConnection, False),
        (aiohttp.ClientConnectorDNSError(UNREACHABLE, OSError(-2, "unknown")), ProviderConnection, False),
        (aiohttp.ClientProxyConnectionError(UNREACHABLE, OSError(111, "no")), ProviderConnection, False),
        (aiohttp.ServerDisconnectedError(), ProviderConnection, True),
        (aiohttp.ClientOSError(104, "reset"), ProviderConnection, True),
        (aiohttp.ClientPayloadError("cut off"), ProviderConnection, True),
        (aiohttp.ClientResponseError(None, (), status=400, message="bad\n\n line"), ProviderConnection, True),
        (aiohttp.InvalidURL("https://acme.example/?key=k"), ProviderConnection, False),
        (ValueError("a header"), ProviderConnection, False),
    ],
)
def test_a_failed_exchange_of_the_client_says_whether_it_may_have_been_billed(exc, kind, billed):
    error = error_from_aiohttp(exc, deployment="acme")
    assert (type(error), error.may_have_billed) == (kind, billed)
    assert "acme" in str(error)
    assert "key=k" not in str(error)
    assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("body", "parameter"),
    [
        (
            vendor(
                "Unsupported parameter: 'max_tokens' is not supported with this model.",
                param="max_tokens", code="unsupported_parameter",
            ),
            "max_tokens",
        ),
        (vendor("Unsupported value: 'temperature' does not support 0.2 with this model."), "temperature"),
        (vendor("Unrecognized request argument supplied: top_k"), "top_k"),
        (vendor("Unexpected role 'developer'. Supported values are: system, user"), "developer"),
        (vendor("messages[0].role: unknown variant `developer`, expected one of `system`, `user`"), "developer"),
        (vendor("'messages[0].role' does not support 'developer'.", param="messages[0].role"), "developer"),
        (vendor("tools[0].strict: Extra inputs are not permitted", param="tools[0].strict"), "tools"),
        (vendor("This model does not support tool use."), None),
        (json.dumps([{"error": {"message": "`logprobs` is not supported"}}]), "logprobs"),
        ("parameter: seed is not supported", "seed"),
    ],
)  # fmt: skip
def test_what_a_model_does_not_take_is_named(body, parameter):
    error = error_from_response(HttpAnswer(400, {}, body), deployment="d")
    assert type(error) is Unsupported
    assert error.parameter == parameter


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (404, vendor("No endpoints found that support tool use."), Unsupported),
        (400, vendor("The model `gpt-old` has been decommissioned and is no longer supported."), ModelGone),
        (400, vendor("anything", code="model_not_found"), ModelGone),
        (410, "", ModelGone),
        (400, vendor("The response was filtered", code="content_filter"), ContentFiltered),
        (403, vendor("Input was flagged by moderation"), ContentFiltered),
        (400, vendor("data_inspection_failed"), ContentFiltered),
        (400, vendor("Invalid schema for function 'get_weather'"), MalformedRequest),
        (
            400,
            vendor("An assistant message with 'tool_calls' must be followed by tool messages"),
            MalformedRequest,
        ),
        (400, vendor("something odd"), ProviderBadRequest),
        (418, vendor("teapot"), ProviderBadRequest),
    ],
)
def test_a_refusal_says_whether_another_model_may_do(status, body, kind):
    assert type(error_from_response(HttpAnswer(status, {}, body), deployment="d")) is kind


def test_a_vendors_words_hold_nothing_that_cannot_be_written_down():
    error = error_from_response(HttpAnswer(500, {}, r'{"error": {"message": "a\ud800b"}}'), deployment="d")
    assert str(error).encode() == b"d answered 500: a?b"


def test_a_body_nested_without_end_is_an_error_like_any_other():
    error = error_from_response(HttpAnswer(500, {}, b'{"error":' + b"[" * 200_000), deployment="d")
    assert type(error) is ProviderServer


def test_the_log_says_why_no_connection_was_made_and_of_vendors_words_none():
    never = ProviderConnection("no connection to d (ClientConnectorError: certificate verify failed)")
    never.may_have_billed = False
    assert logged(never) == f"connection: {never}"
    assert logged(ProviderConnection("broke (BadHttpMessage: what the prompt said)")) == "connection"
    assert logged(ProviderBadRequest("d answered 400: what the prompt said")) == "bad_request"
