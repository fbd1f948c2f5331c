import inspect

import pytest

from x25.state import errors
from x25.state.errors import (
    BeyondAllowance,
    BreakerOpen,
    CallFailed,
    HedgeLost,
    InvalidRequest,
    ModelUnfit,
    NoEligibleModel,
    ProviderBadRequest,
    ProviderError,
    ProviderForbidden,
    ProviderRateLimit,
    ReaderLeft,
    X25Error,
)

TREE = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, X25Error)]


def test_every_error_is_drawn_in_the_tree_at_the_top():
    drawn = {word for line in errors.__doc__.splitlines() for word in line.lstrip("│├└─ ").split()[:1]}
    assert {kind.__name__ for kind in TREE} <= drawn


def test_every_error_has_a_code_of_its_own():
    codes = [kind.__dict__.get("code") for kind in TREE]
    assert None not in codes
    # Clients shorten their prompt at one code, whoever said that it is too long.
    assert {code for code in codes if codes.count(code) > 1} == {"context_length_exceeded"}


def test_invalid_request_names_the_field():
    assert InvalidRequest("too long", field="prompt").field == "prompt"


def test_no_eligible_model_blames_the_policy_and_says_who_was_removed():
    error = NoEligibleModel("none left", removed={"v/m": "max_cost"})
    assert isinstance(error, InvalidRequest)
    assert (error.field, error.removed) == ("policy", {"v/m": "max_cost"})


def test_failed_call_carries_its_attempts():
    error = CallFailed("all failed", attempts=[{"model_id": "v/m"}], call_id="c1")
    assert (str(error), error.attempts, error.call_id) == ("all failed", [{"model_id": "v/m"}], "c1")


def test_provider_error_carries_status_and_wait():
    error = ProviderRateLimit("slow down", status=429, retry_after_s=1.5)
    assert isinstance(error, ProviderError)
    assert (error.status, error.retry_after_s) == (429, 1.5)


NOT_ASKED = BreakerOpen | HedgeLost
"""What no answer of a provider is: nobody was asked, or another request was faster."""


@pytest.mark.parametrize("kind", [kind for kind in TREE if issubclass(kind, ProviderError)])
def test_what_lies_with_request_or_model_is_not_asked_again(kind):
    lies_elsewhere = issubclass(
        kind, ProviderBadRequest | BeyondAllowance | ModelUnfit | ProviderForbidden | ReaderLeft | NOT_ASKED
    )
    assert kind("x").retryable is not lies_elsewhere


@pytest.mark.parametrize("kind", [kind for kind in TREE if issubclass(kind, ProviderError)])
def test_what_lies_with_request_or_model_says_nothing_about_the_providers_health(kind):
    lies_elsewhere = issubclass(
        kind, ProviderBadRequest | BeyondAllowance | ModelUnfit | ReaderLeft | NOT_ASKED
    )
    assert kind("x").is_providers_fault is not lies_elsewhere
