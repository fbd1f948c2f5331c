from x25.providers.wire.halves import Halves

GLOBE = "\ud83c\udf0d"


def test_a_character_cut_in_two_comes_with_its_second_half():
    halves = Halves()
    assert halves.join("a", "hi " + GLOBE[0]) == "hi "
    assert halves.join("b", "other") == "other"
    assert halves.join("a", GLOBE[1] + "!") == "🌍!"
    assert halves.rest() == {}


def test_a_half_that_stays_alone_is_replaced():
    halves = Halves()
    assert halves.join("a", "x" + GLOBE[1] + "y") == "x\ufffdy"
    assert halves.join("a", GLOBE[0]) == ""
    assert halves.join("a", "plain") == "\ufffdplain"
    halves.join("a", GLOBE[0])
    assert halves.rest() == {"a": "\ufffd"}
