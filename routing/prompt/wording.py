"""Words and pairs of words at both ends of a prompt, where people say what they want done."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

HEAD_CHARS = 240
TAIL_CHARS = 160
_STEM_CHARS = 5
_WORD = re.compile(r"[^\W\d_]+(?:'\w+)?|\d|[?!:`{}\[\]<>=+*^$|#@-]")


def wordings(text: str) -> set[str]:
    """Return the words and pairs of words in the first 240 and the last 160 characters, lower-cased.

    "^" marks those a prompt begins with and "$" those it ends with. A digit stands alone, as a sign does. The first
    five letters of a longer word, marked "~", stand for all of its forms.
    """
    lower = text.lower()
    head = _WORD.findall(lower[:HEAD_CHARS])
    tail = _WORD.findall(lower[-TAIL_CHARS:]) if len(lower) > HEAD_CHARS else []
    return {*_with_pairs(head), *_with_pairs(tail), *_ends(head, tail or head)}


def _with_pairs(words: Sequence[str]) -> Iterator[str]:
    yield from words
    yield from (word[:_STEM_CHARS] + "~" for word in words if len(word) > _STEM_CHARS)
    yield from map(" ".join, pairwise(words))


def _ends(first: Sequence[str], last: Sequence[str]) -> Iterator[str]:
    for count in (1, 2):
        if first:
            yield "^" + " ".join(first[:count])
        if last:
            yield " ".join(last[-count:]) + "$"
