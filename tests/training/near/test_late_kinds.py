import random

from x25.training.near import near_misses, paraphrases
from x25.training.near.late_kinds import NEAR_MISSES, PARAPHRASES


def test_late_kinds_are_others_and_make_pairs():
    assert not NEAR_MISSES.keys() & near_misses.KINDS.keys()
    assert not PARAPHRASES.keys() & paraphrases.KINDS.keys()
    rng = random.Random(3)
    for make in (*NEAR_MISSES.values(), *PARAPHRASES.values()):
        assert len({make(rng) for _ in range(40)}) >= 8
