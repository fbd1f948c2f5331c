"""Cut what was said into passages: what is remembered, compared with a question, and added to one."""

import re
from collections.abc import Iterator

MOST_CHARS = 480
"""Of a passage: a few sentences, so that its vector stands for one thing."""
MOST_PASSAGES = 24
"""Of one text; what is beyond is not remembered."""
_ENDS = re.compile(r"(?<=[.!?。！？])\s+|\n+")


def passages_of(text: str) -> list[str]:
    """Return a text in passages of at most `MOST_CHARS` characters cut where sentences or lines end."""
    found: list[str] = []
    for sentence in _pieces(text):
        if found and len(found[-1]) + 1 + len(sentence) <= MOST_CHARS:
            found[-1] = f"{found[-1]} {sentence}"
        elif len(found) < MOST_PASSAGES:
            found.append(sentence)
        else:
            break
    return found


def stated(text: str) -> str:
    """Return a text without the sentences that ask: they state nothing, and would be found before what answers them."""
    return "\n".join(
        sentence for sentence in _ENDS.split(text) if not sentence.rstrip().endswith(("?", "？"))
    )


def _pieces(text: str) -> Iterator[str]:
    for sentence in _ENDS.split(text[: MOST_CHARS * MOST_PASSAGES * 2]):
        left = " ".join(sentence.split())
        while len(left) > MOST_CHARS:
            cut = left.rfind(" ", MOST_CHARS // 2, MOST_CHARS)
            cut = MOST_CHARS if cut < 0 else cut
            yield left[:cut].strip()
            left = left[cut:].strip()
        if left:
            yield left
