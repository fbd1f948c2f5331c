import pytest

from x25.routing.plan.affinity import Author, begin, follow_up
from x25.state.records import Arm
from x25.state.working_memory import Start


def arm(model_id, tier):
    return Arm(model_id, "acme", tier, 100, 10, 0.8, 0.1, 0.4, 100_000, 4_096)


ARMS = (arm("tiny", "slm"), arm("middle", "mid"), arm("giant", "frontier"))


@pytest.mark.parametrize(
    ("tier", "kept"), [("slm", ["tiny", "middle", "giant"]), ("mid", ["middle", "giant"]), ("frontier", ["giant"])]
)  # fmt: skip
def test_nobody_weaker_than_the_author_goes_on(tier, kept):
    following = follow_up(ARMS, Author("acme/first", tier))
    assert [one.model_id for one in following.arms] == kept
    assert following.removed.keys() == {one.model_id for one in ARMS} - set(kept)
    assert all(f"weaker than acme/first ({tier})" in why for why in following.removed.values())
    assert following.exception is None


def test_an_unknown_author_holds_nobody_back():
    following = follow_up(ARMS, None)
    assert (following.arms, following.removed, following.exception) == (ARMS, {}, None)


def test_where_nobody_as_strong_may_be_asked_all_may_and_the_reason_is_said():
    following = follow_up(ARMS[:2], Author("giant", "frontier"))
    assert (following.arms, following.removed) == (ARMS[:2], {})
    assert following.exception == (
        "the conversation builds on giant (frontier), and nobody as strong may be asked"
    )


def names(following):
    return [one.model_id for one in following.arms]


def test_an_overriding_model_begins_alone_or_nobody_does():
    assert names(begin(ARMS, Start(model_id="middle"), Author("giant", "frontier"))) == ["middle"]
    gone = begin(ARMS[:1], Start(model_id="middle"), None)
    assert (names(gone), "routing_override" in gone.removed["tiny"]) == ([], True)


@pytest.mark.parametrize(
    ("tiers", "kept"),
    [(("slm",), ["tiny"]), (("mid", "frontier"), ["middle", "giant"]), ((), ["tiny", "middle", "giant"])],
)
def test_named_tiers_begin_where_there_is_one(tiers, kept):
    following = begin(ARMS, Start(tiers=tiers, why="task_complexity: x"), None)
    assert names(following) == kept
    assert following.removed.keys() == {one.model_id for one in ARMS} - set(kept)
    assert names(begin(ARMS[:1], Start(tiers=("frontier",)), None)) == ["tiny"]


@pytest.mark.parametrize(
    ("chain", "kept"),
    [("sticky", ["middle"]), ("mixed", ["tiny", "middle", "giant"]), (None, ["middle", "giant"])],
)
def test_a_chain_keeps_to_its_model_or_chooses_anew(chain, kept):
    assert names(begin(ARMS, Start(chain_routing=chain), Author("middle", "mid"))) == kept


def test_a_sticky_chain_whose_model_may_not_be_asked_goes_on_as_strongly():
    assert names(begin(ARMS[1:], Start(chain_routing="sticky"), Author("tiny", "slm"))) == ["middle", "giant"]
