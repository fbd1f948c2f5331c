import random

import pytest

from x25.training.near.near_misses import KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_makes_many_pairs_without_gaps(kind):
    rng = random.Random(3)
    made = {KINDS[kind](rng) for _ in range(60)}
    assert len(made) >= 8
    assert all(text.strip() and "{" not in text.replace("{}", "") for pair in made for text in pair)
