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
        throttle.check("a", "b")
        now[0] = float(n)
        throttle.note_wrong("a")
    with pytest.raises(TooManyRequests, match="try again") as raised:
        throttle.check("b", "a")
    assert raised.value.retry_after_s == WITHIN_S - (TRIES - 1)
    throttle.check("b")
    now[0] = WITHIN_S
    throttle.check("a")
    throttle.forget("a")
    throttle.note_wrong("a")
    throttle.check("a")
