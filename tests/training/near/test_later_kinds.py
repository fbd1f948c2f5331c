import random

from x25.training.near import late_kinds, near_misses, paraphrases
from x25.training.near.later_kinds import NEAR_MISSES, PARAPHRASES


def test_later_kinds_are_others_and_make_pairs():
    earlier = (near_misses.KINDS, paraphrases.KINDS, late_kinds.NEAR_MISSES, late_kinds.PARAPHRASES)
    assert not {*NEAR_MISSES, *PARAPHRASES} & {name for kinds in earlier for name in kinds}
    rng = random.Random(3)
    for make in (*NEAR_MISSES.values(), *PARAPHRASES.values()):
        assert len({make(rng) for _ in range(40)}) >= 8
