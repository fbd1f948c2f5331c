from x25.training.near.free_pairs import MISSES, REWORDED


def test_pairs_differ_and_none_is_of_both_sorts():
    assert all(a != b for a, b in (*REWORDED, *MISSES))
    assert not set(REWORDED) & set(MISSES)
