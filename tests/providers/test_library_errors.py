import httpx
import openai
import pytest

from x25.providers.library_errors import error_from_langchain, error_from_openai
from x25.state.errors import (
    ContextLengthExceeded,
    ProviderAuth,
    ProviderConnection,
    ProviderMalformed,
    ProviderRateLimit,
    ProviderServer,
    ProviderTimeout,
)

REQUEST = httpx.Request("POST", "http://upstream.invalid/v1/chat/completions")


def caused(exc, cause):
    exc.__cause__ = cause
    return exc


def status_error(cls, status, body):
    response = httpx.Response(status, json=body, headers={"retry-after": "4"}, request=REQUEST)
    return cls("refused sk-secret-123", response=response, body=body)


@pytest.mark.parametrize(
    ("exc", "kind", "billed"),
    [
        (caused(openai.APITimeoutError(REQUEST), httpx.ReadTimeout("t")), ProviderTimeout, True),
        (caused(openai.APITimeoutError(REQUEST), httpx.ConnectTimeout("t")), ProviderTimeout, False),
        (
            caused(openai.APIConnectionError(request=REQUEST), httpx.ConnectError("c")),
            ProviderConnection,
            False,
        ),
        (openai.APIConnectionError(request=REQUEST), ProviderConnection, True),
        (status_error(openai.RateLimitError, 429, {"error": {"message": "slow"}}), ProviderRateLimit, False),
        (status_error(openai.AuthenticationError, 401, {"error": {"message": "key"}}), ProviderAuth, False),
        (openai.APIError("maximum context length", REQUEST, body=None), ContextLengthExceeded, False),
        (openai.OpenAIError("what"), ProviderMalformed, True),
    ],
)
def test_the_openai_classes_are_translated(exc, kind, billed):
    for translate in (error_from_openai, error_from_langchain):
        error = translate(exc, deployment="acme")
        assert (type(error), error.may_have_billed) == (kind, billed)
        assert "sk-secret" not in str(error)


def test_retry_after_survives_the_openai_classes():
    error = error_from_openai(status_error(openai.RateLimitError, 429, {}), deployment="acme")
    assert error.retry_after_s == 4.0


class VendorError(Exception):
    status_code = 429


@pytest.mark.parametrize(
    ("exc", "kind"),
    [
        (VendorError("slow down"), ProviderRateLimit),
        (TimeoutError(), ProviderTimeout),
        (ConnectionResetError(), ProviderConnection),
        (httpx.ReadTimeout("t"), ProviderTimeout),
        (KeyError("choices"), ProviderServer),
    ],
)
def test_exceptions_of_other_libraries_are_translated(exc, kind):
    assert type(error_from_langchain(exc, deployment="acme")) is kind


class ClientError(Exception):
    """As botocore's."""

    def __init__(self, status):
        super().__init__("An error occurred (ThrottlingException)")
        self.response = {"ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": {"retry-after": "7"}}}


class ApiError(Exception):
    """As google-genai's, which LangChain wraps."""

    code = 503


class EndpointConnectionError(Exception):
    """As botocore's."""


class ReadTimeoutError(Exception):
    """As urllib3's."""


@pytest.mark.parametrize(
    ("exc", "kind", "retry_after_s", "billed"),
    [
        (ClientError(429), ProviderRateLimit, 7.0, False),
        (caused(RuntimeError("wrapped"), ApiError("overloaded")), ProviderServer, None, False),
        (caused(RuntimeError("wrapped"), EndpointConnectionError("no")), ProviderConnection, None, False),
        (ReadTimeoutError("late"), ProviderTimeout, None, True),
    ],
)
def test_what_vendors_libraries_raise_is_told_by_status_or_by_name(exc, kind, retry_after_s, billed):
    error = error_from_langchain(exc, deployment="acme")
    assert (type(error), error.retry_after_s, error.may_have_billed) == (kind, retry_after_s, billed)
