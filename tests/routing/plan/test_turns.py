import pytest

from x25.routing.plan.turns import turn_key, turns_of

ASKED = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Write a parser."}]
ANSWER = {"role": "assistant", "content": "def parse(): ... and a little more than forty characters"}
NEXT = {"role": "user", "content": "Now test it."}


def test_the_key_of_a_turn_is_the_newest_of_the_history_that_follows():
    key = turn_key("a", None, ASKED, ANSWER)
    assert turns_of("a", None, [*ASKED, ANSWER, NEXT]).answered == (key,)


@pytest.mark.parametrize(
    ("org", "user", "before"),
    [
        ("b", None, ASKED),
        ("a", "ann", ASKED),
        ("a", "", ASKED),
        ("a", None, [NEXT]),
        ("a", None, [*ASKED, NEXT]),
    ],
)
def test_another_org_user_or_history_has_another_key(org, user, before):
    assert turn_key(org, user, before, ANSWER) != turn_key("a", None, ASKED, ANSWER)


def test_system_messages_and_spaces_around_a_text_do_not_count():
    spelled = [
        {"role": "system", "content": "Monday"},
        {"role": "user", "content": [{"type": "text", "text": " Write a parser.\n"}]},
    ]
    assert turn_key("a", None, spelled, ANSWER) == turn_key("a", None, ASKED, ANSWER)


def test_texts_cannot_be_cut_so_that_two_histories_look_alike():
    one = [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]
    other = [{"role": "user", "content": "a" + "user 1 \nb"}]
    assert turns_of("a", None, one).whole != turns_of("a", None, other).whole


def test_short_pairs_are_no_mark_of_a_conversation():
    short = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "Hello!"}, NEXT]
    assert turns_of("a", None, short).newest_pair is None
    assert turns_of("a", None, [*ASKED, ANSWER, NEXT]).newest_pair is not None
    assert turns_of("a", None, [ANSWER, NEXT]).newest_pair is None


def test_half_a_surrogate_pair_and_odd_calls_are_taken():
    odd = [
        {"role": "user", "content": "\ud800"},
        {"role": "assistant", "content": None, "tool_calls": ["x", {"function": 3}]},
    ]
    assert len(turns_of("a", "\ud800", odd).answered) == 1
