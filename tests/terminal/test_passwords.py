import pytest

from x25.state.errors import InvalidRequest, TooManyRequests
from x25.terminal.passwords import TRIES, WITHIN_S, Throttle, hash_password, is_right


async def test_a_password_is_kept_as_an_argon2id_hash():
    hashed = hash_password("correct horse battery")
    assert hashed.startswith("$argon2id$")
    assert await is_right("correct horse battery", hashed)
    assert not await is_right("correct horse batterY", hashed)
    assert not await is_right("nobody has this password", None)
    assert not await is_right("x", "no hash")


@pytest.mark.parametrize("password", ["", "eleven char", "x" * 1_001])
def test_short_and_endless_passwords_are_refused(password):
    with pytest.raises(InvalidRequest, match="12 to 1000 characters"):
        hash_password(password)


def test_a_subject_waits_after_five_wrong_passwords_until_the_first_is_old():
    now = [0.0]
    throttle = Throttle(lambda: now[0])
    for n in range(TRIES):
        now[0] = float(n)
        throttle.take("a")
    with pytest.raises(TooManyRequests, match="try again") as raised:
        throttle.take("b", "a")
    assert raised.value.retry_after_s == WITHIN_S - (TRIES - 1)
    for _ in range(TRIES):
        throttle.take("b")  # which the one refused did not count for
    now[0] = WITHIN_S
    throttle.take("a")
    throttle.forget("a")
    throttle.take("a")


def test_a_right_password_gives_its_own_try_back_and_no_other():
    throttle = Throttle(lambda: 0.0)
    for _ in range(TRIES - 1):
        throttle.take("a")
    for _ in range(TRIES):
        throttle.take("a")
        throttle.give_back("a")
    throttle.take("a")
    with pytest.raises(TooManyRequests):
        throttle.take("a")
    throttle.give_back("nobody")
