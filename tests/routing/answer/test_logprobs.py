from math import nan

import pytest

from x25.routing.answer.logprobs import LOGPROB_FEATURE_NAMES, logprob_features, read_logprobs


def features(logprobs):
    return dict(zip(LOGPROB_FEATURE_NAMES, logprob_features(logprobs), strict=True))


def test_mean_quantiles_and_the_share_of_unlikely_tokens():
    given = features([-0.1] * 18 + [-1.5, -9999.0])
    assert given["has_logprobs"] == 1.0
    assert given["logprob_min"] == -20.0
    assert given["logprob_p50"] == pytest.approx(-0.1)
    assert given["logprob_mean"] == pytest.approx((18 * -0.1 - 1.5 - 20.0) / 20)
    assert given["unlikely_token_share"] == pytest.approx(0.1)


@pytest.mark.parametrize("none", [None, []])
def test_absent_log_probabilities_are_all_zero_and_say_so(none):
    assert set(features(none).values()) == {0.0}


def test_a_logprob_that_is_no_number_counts_as_the_lowest():
    assert features([nan, 0.0])["logprob_mean"] == pytest.approx(-10.0)


def test_log_probabilities_are_found_in_a_chat_completion():
    content = [{"token": "1", "logprob": -0.5}, {"token": "2", "logprob": -1}]
    assert read_logprobs({"logprobs": {"content": content}}) == [-0.5, -1.0]


@pytest.mark.parametrize(
    "choice",
    [
        {},
        {"logprobs": None},
        {"logprobs": {"content": None}},
        {"logprobs": {"content": []}},
        {"logprobs": {"content": [{"token": "x"}, {"logprob": "low"}, {"logprob": True}, None]}},
        {"logprobs": "yes"},
    ],
)
def test_a_choice_without_usable_log_probabilities_has_none(choice):
    assert read_logprobs(choice) is None
