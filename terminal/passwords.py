"""Passwords: how they are hashed, and how often one may be guessed."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from time import monotonic

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from ..state.errors import InvalidRequest, TooManyRequests

LEAST_CHARS, MOST_CHARS = 12, 1_000
TRIES, WITHIN_S = 5, 300.0
"""Wrong passwords for a name, or from an address, until it has to wait."""
MOST_SUBJECTS = 10_000
_hasher = PasswordHasher()
NOBODYS = _hasher.hash("nobody has this password")
"""What is checked where there is no such account, so that an answer takes as long."""


def hash_password(password: str) -> str:
    """Return the argon2id hash of a password.

    Raises
    ------
    InvalidRequest
        When it is shorter than twelve characters, or longer than a thousand.
    """
    if not LEAST_CHARS <= len(password) <= MOST_CHARS:
        raise InvalidRequest(
            f"a password must have {LEAST_CHARS} to {MOST_CHARS} characters, got {len(password)}",
            field="password",
        )
    return _hasher.hash(password)


async def is_right(password: str, password_hash: str | None) -> bool:
    """Return whether a password is the hashed one; takes as long where there is none."""

    def check() -> bool:
        try:
            return _hasher.verify(password_hash or NOBODYS, password[: MOST_CHARS + 1])
        except (VerificationError, InvalidHashError):
            return False

    return await asyncio.to_thread(check) and password_hash is not None


class Throttle:
    """Counts wrong passwords by subject; one process."""

    def __init__(self, clock_s: Callable[[], float] = monotonic) -> None:
        self._clock_s = clock_s
        self._wrong: OrderedDict[str, deque[float]] = OrderedDict()

    def take(self, *subjects: str) -> None:
        """Count a password as wrong before it is looked at, or many sent at once would all be looked at.

        Raises
        ------
        TooManyRequests
            Saying for how long one of the subjects has to wait; then nothing is counted.
        """
        now = self._clock_s()
        for subject in subjects:
            tries = self._wrong.get(subject)
            if tries is not None and len(tries) == TRIES and now - tries[0] < WITHIN_S:
                wait_s = max(1, round(WITHIN_S - (now - tries[0])))
                raise TooManyRequests(
                    f"too many wrong passwords; try again in {wait_s} s", retry_after_s=wait_s
                )

        for subject in subjects:
            self._wrong.setdefault(subject, deque(maxlen=TRIES)).append(now)
            self._wrong.move_to_end(subject)
        while len(self._wrong) > MOST_SUBJECTS:
            self._wrong.popitem(last=False)

    def give_back(self, subject: str) -> None:
        """Count the last password of a subject no more, as it was right; those before it were wrong all the same."""
        tries = self._wrong.get(subject)
        if tries:
            tries.pop()

    def forget(self, subject: str) -> None:
        """Begin anew for a subject that gave the right one."""
        self._wrong.pop(subject, None)
