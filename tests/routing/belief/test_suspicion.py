import numpy as np
import pytest

from x25.routing.belief.suspicion import CheckBook, Checked


def after(failures, start=Checked()):  # noqa: B008 - immutable
    for is_failure in failures:
        start = start.after(is_failure=bool(is_failure))
    return start


def test_each_answer_adds_its_log_likelihood_ratio_and_the_sum_never_falls_below_nothing():
    assert after([False] * 50).nats == 0.0
    one = after([True])
    assert one.nats == pytest.approx(np.log(3.0))
    share = 2.0 / 26.0
    assert after([False], one).nats == pytest.approx(np.log(3.0) + np.log((1 - 3 * share) / (1 - share)))


@pytest.mark.parametrize("usual", [0.0, 0.007, 0.02, 0.075])
def test_an_arm_is_hardly_ever_suspected_whatever_share_of_its_answers_usually_fails(usual):
    rng, suspected = np.random.default_rng(5), []
    for _ in range(20):
        arm = Checked()
        for is_failure in rng.random(1_000) < usual:
            arm = arm.after(is_failure=bool(is_failure))
            suspected.append(arm.suspicion)
    assert np.mean(suspected) < 0.02


@pytest.mark.parametrize("usual", [0.007, 0.02, 0.075])
def test_five_times_as_many_failures_are_noticed_within_a_hundred_answers(usual):
    rng, noticed = np.random.default_rng(6), []
    for _ in range(20):
        arm = after(rng.random(500) < usual)
        noticed.append(1_000)
        for count, is_failure in enumerate(rng.random(1_000) < max(0.1, 5 * usual), start=1):
            arm = arm.after(is_failure=bool(is_failure))
            if arm.suspicion >= 0.5:
                noticed[-1] = count
                break
    assert np.median(noticed) <= 100


def test_an_orgs_arm_is_its_own_and_one_that_changed_begins_anew():
    book = CheckBook()
    for _ in range(10):
        book.record("acme", "m", is_failure=True)
    assert book.suspicion("acme", "m") == 1.0
    assert book.suspicion("umbrella", "m") == book.suspicion("acme", "other") == 0.0
    book.clear("acme", "m")
    assert book.suspicion("acme", "m") == 0.0
