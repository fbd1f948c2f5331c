from dataclasses import replace

import pytest

from x25.nodes.answer.failure import call_failure
from x25.state.answers import Failure
from x25.state.errors import AllBusy, CallFailed, RequestRefused, WindowExceeded


@pytest.fixture
async def failure_of(walk_to_model):
    """Return what a call tells whose answers failed like that: (code, seconds to wait) each."""
    call = await walk_to_model("audit")

    def build(*failures):
        answers = tuple(
            replace(call.answers[0], step=step, failure=Failure(code, "Error", f"{code} it was", 400, wait_s))
            for step, (code, wait_s) in enumerate(failures)
        )
        return call_failure(replace(call, answers=answers))

    return build


@pytest.mark.parametrize(
    ("codes", "reason"),
    [
        (["bad_request"], "bad_request"),
        (["unsupported", "bad_request"], "bad_request"),
        (["malformed_request"], "malformed_request"),
        (["context_length", "bad_request"], "bad_request"),
    ],
)
async def test_a_request_that_every_model_refuses_is_at_fault(failure_of, codes, reason):
    error = failure_of(*[(code, None) for code in codes])
    assert type(error) is RequestRefused
    assert str(error) == f"{reason} it was"
    assert error.attempts


@pytest.mark.parametrize("codes", [["context_length"], ["content_filter", "context_length"]])
async def test_a_prompt_too_long_for_all_is_told_by_the_code_that_clients_shorten_it_at(failure_of, codes):
    error = failure_of(*[(code, None) for code in codes])
    assert (type(error), error.code) == (WindowExceeded, "context_length_exceeded")
    assert str(error) == "prompt is too long: context_length it was"


@pytest.mark.parametrize(
    "codes", [["bad_request", "server"], ["model_gone"], ["auth"], ["timeout"], ["forbidden"]]
)
async def test_anything_else_is_the_providers_failure(failure_of, codes):
    assert type(failure_of(*[(code, None) for code in codes])) is CallFailed


async def test_where_all_are_busy_the_first_that_is_free_says_when(failure_of):
    error = failure_of(("rate_limit", 30.0), ("server", 7.0), ("rate_limit", None))
    assert type(error) is AllBusy
    assert error.retry_after_s == 5.0
    assert type(failure_of(("rate_limit", 30.0), ("server", None))) is CallFailed


async def test_a_busy_model_is_worth_coming_back_for_whatever_is_out_of_order_beside_it(failure_of):
    error = failure_of(("auth", None), ("rate_limit", 30.0), ("model_gone", None), ("billing", None))
    assert (type(error), error.retry_after_s) == (AllBusy, 30.0)
    refused = failure_of(("auth", None), ("billing", None))
    assert type(refused) is CallFailed
    assert [one.split(": ")[1] for one in refused.failures] == ["auth", "billing"]
