import pytest

from x25.routing.plan.affinity import Author, follow_up
from x25.state.records import Arm


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
