from x25.training.near.pairs import all_pairs


def test_half_of_the_kinds_are_never_fitted_on():
    pairs = all_pairs(20)
    for same in (True, False):
        seen = {pair.kind for pair in pairs if pair.same == same and pair.seen} - {"free"}
        unseen = {pair.kind for pair in pairs if pair.same == same and not pair.seen} - {"free"}
        assert not seen & unseen
        assert len(unseen) >= len(seen)


def test_there_are_enough_and_they_are_the_same_each_time():
    pairs = all_pairs(20)
    assert len(pairs) >= 600
    assert pairs == all_pairs(20)
