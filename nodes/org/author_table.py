"""Who gave an answer, by the digest of what was said: a table of fixed size whose oldest entries go first."""

from array import array
from typing import Final

from ...routing.plan.affinity import Author

_WAYS: Final = 4
"""Places that one digest may take. The oldest of them is given away."""
_MOST_AUTHORS: Final = 1 << 16
"""Models seen since the table was last empty; only a gateway whose models come and go meets so many."""


class AuthorTable:
    """Digests with their authors, 14 bytes a place.

    A dictionary takes some three hundred bytes an entry, and a gateway adds one with every answer. Digests are kept as
    64 bits: in a table of 65,536 places a look-up finds what is not its own by chance once in 2^48 times.

    Parameters
    ----------
    places
        Entries there is room for, rounded up to a power of two. One that is full forgets the oldest of four
        where the newest goes, so nearly the oldest of all.
    """

    def __init__(self, places: int) -> None:
        self._sets = 1 << ((places - 1) // _WAYS).bit_length()
        self._authors: list[Author] = []
        self._numbers: dict[Author, int] = {}
        self._clear()

    def put(self, digest: bytes, author: Author) -> None:
        """Note who gave an answer; `digest` has eight bytes or more, and tells nothing but equality."""
        key = _key(digest)
        number = self._number(author)
        digests, ages, start = self._digests, self._ages, (key % self._sets) * _WAYS
        place = start
        for candidate in range(start, start + _WAYS):
            if digests[candidate] == key:
                place = candidate
                break
            if ages[candidate] < ages[place]:
                place = candidate
        self._clock += 1
        if self._clock >> 32:
            self._clear()
            number = self._number(author)
        digests[place], ages[place], self._numbers_at[place] = key, self._clock, number

    def get(self, digest: bytes) -> Author | None:
        """Return who gave it; None where nothing is known."""
        key = _key(digest)
        start = (key % self._sets) * _WAYS
        for place in range(start, start + _WAYS):
            if self._digests[place] == key:
                return self._authors[self._numbers_at[place]]
        return None

    def _number(self, author: Author) -> int:
        number = self._numbers.get(author)
        if number is None:
            if len(self._authors) >= _MOST_AUTHORS:
                self._clear()
            number = self._numbers[author] = len(self._authors)
            self._authors.append(author)
        return number

    def _clear(self) -> None:
        size = self._sets * _WAYS
        self._digests = array("Q", bytes(8 * size))
        self._ages = array("I", bytes(4 * size))
        self._numbers_at = array("H", bytes(2 * size))
        self._clock = 0
        self._authors.clear()
        self._numbers.clear()


def _key(digest: bytes) -> int:
    return int.from_bytes(digest[:8]) or 1
