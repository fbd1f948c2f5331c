import json

import pytest

from x25.providers.errors_map import HttpAnswer, error_from_response
from x25.state.errors import (
    ContextLengthExceeded,
    MalformedRequest,
    ModelGone,
    ProviderAuth,
    ProviderBadRequest,
    ProviderBilling,
    ProviderForbidden,
    ProviderRateLimit,
    ProviderServer,
    Unsupported,
)


def vendor(message, **extra):
    return json.dumps({"error": {"message": message, **extra}})


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (
            400,
            vendor("API key not valid. Please pass a valid API key.", status="INVALID_ARGUMENT"),
            ProviderAuth,
        ),
        (400, vendor("Invalid API Key"), ProviderAuth),
        (400, vendor("ThrottlingException: Too many requests"), ProviderRateLimit),
        (
            400,
            vendor("An error occurred (ThrottlingException) when calling it: Too many requests"),
            ProviderRateLimit,
        ),
        (400, vendor("x", code="rate_limit_exceeded"), ProviderRateLimit),
        (400, vendor("model is overloaded, please try again later"), ProviderServer),
        (400, vendor("The requested model is currently unavailable"), ProviderServer),
        (400, vendor("upstream error: do request failed"), ProviderServer),
        (400, vendor("no healthy upstream"), ProviderServer),
        (400, vendor("This organization has been disabled."), ProviderForbidden),
        (400, vendor("User location is not supported for the API use."), ProviderForbidden),
        (400, json.dumps({"code": "Arrearage", "message": "Access denied"}), ProviderBilling),
        (400, vendor("Budget has been exceeded! Current cost: 10, Max budget: 9"), ProviderBilling),
        (400, vendor("litellm.RateLimitError: RateLimitError: rate limit reached"), ProviderRateLimit),
        (400, vendor("The requested model is not supported.", code="model_not_supported"), ModelGone),
        (404, vendor("No endpoints found for some/model."), ModelGone),
        (404, vendor("No endpoints found that support tool use"), Unsupported),
        (405, "Method Not Allowed", ProviderServer),
        (424, vendor("Failed dependency"), ProviderServer),
        (499, "", ProviderServer),
        (500, vendor("the request exceeds the available context size"), ContextLengthExceeded),
        (400, vendor("Invalid schema for function 'rate_limit': overloaded"), MalformedRequest),
        (400, vendor("messages.0: 'too many requests' is no role"), ProviderBadRequest),
    ],
)
def test_a_status_that_speaks_of_the_request_may_mean_a_key_an_account_or_overload(status, body, kind):
    answer = HttpAnswer(status, {}, body)
    assert type(error_from_response(answer, deployment="d")) is kind


@pytest.mark.parametrize(
    "words",
    [
        "Your request exceeded model token limit: 262144 (requested: 300000)",
        "litellm.ContextWindowExceededError: prompt tokens (9000) > model limit (8192)",
        "input tokens exceed the configured limit of 272000 tokens",
        "max_tokens must be at least 1, got -500.",
        "The total number of tokens in the prompt exceeds the limit",
        "Input validation error: `inputs` must have less than 4096 tokens. Given: 5000",
        "Token limit exceeded: 9000 > 8192",
        "tokens in request more than max tokens allowed: 4096",
        "prompt is too long: 210000 tokens > 200000 maximum",
        "input length and `max_tokens` exceed context limit: 198000 + 8192 > 200000",
        "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
        "Prompt contains 40000 tokens, too large for model with 32768 maximum context length",
        "Please reduce the length of the messages or completion.",
        "This model's maximum prompt length is 131072 but the request contains 200000 tokens.",
        "Input is too long for requested model.",
        "the request exceeds the available context size",
        "Range of input length should be [1, 30720]",
        "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4097",
        "Invalid request: Your request exceeded model token limit: input token length too long",
    ],
)
def test_a_prompt_that_does_not_fit_is_told_in_any_vendors_words(words):
    error = error_from_response(HttpAnswer(400, {}, vendor(words)), deployment="d")
    assert type(error) is ContextLengthExceeded
