import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.types import Overwrite

from x25.graph.memory.privacy import INPUT_NOT_KEPT
from x25.graph.memory.turns import STALE, begin_run, mark, open_turn, require_org
from x25.state.errors import InvalidRequest, TextNotKept
from x25.state.types import Reply

THREAD = {"org": "acme", "call_id": "c1", "follows": None, "unanswered": []}
TALK = [HumanMessage("one", id="q1"), AIMessage("first", id="c1")]
CHANGE = {"org": "acme", "call_id": "c2"}


def opened(state, *, keeps_text=True):
    return open_turn(state, keeps_text=keeps_text)


def texts(messages):
    return [message["content"] if isinstance(message, dict) else message.content for message in messages]


def test_a_new_input_is_written_apart_from_what_earlier_runs_were_given():
    written = begin_run({"prompt": "hi", "policy": {"max_tier": "mid"}})
    assert written.keys() == {"given", "turn", "prompt", "hint"}
    assert written["given"] == {"policy": {"max_tier": "mid"}}
    assert texts(written["turn"]) == ["hi"]
    assert (written["prompt"], written["hint"]) == (None, None)


def test_a_prompt_beside_messages_is_left_for_the_check_to_refuse():
    written = begin_run({"prompt": "or this", "messages": [("user", "this")], "org": "acme"})
    assert (texts(written["turn"]), written["given"]) == (["this"], {"prompt": "or this", "org": "acme"})
    assert texts(begin_run({"prompt": "this", "messages": None})["turn"]) == ["this"]
    assert begin_run({"prompt": "not this", "messages": []})["turn"] == []


@pytest.mark.parametrize("prompt", ["", "  ", 42, None, ["x"]])
def test_a_prompt_that_is_none_is_left_for_the_check_to_name(prompt):
    assert begin_run({"prompt": prompt}) == {
        "given": {"prompt": prompt},
        "turn": None,
        "prompt": None,
        "hint": None,
    }


def test_what_is_no_request_and_what_a_checkpoint_did_not_keep_write_nothing_new():
    assert begin_run("text") == "text"
    assert begin_run(INPUT_NOT_KEPT) == {}


def test_the_first_turn_of_a_thread_is_its_input():
    turn = opened(begin_run({"prompt": "hi", "hint": "qa", "call_id": "mine", "org": "acme"}))
    assert turn.request == {
        "org": "acme", "hint": "qa", "call_id": "mine", "messages": [{"role": "user", "content": "hi"}],
    }  # fmt: skip
    assert turn.follows is None
    written = turn.opened(CHANGE)
    assert not STALE & written.keys()
    assert written["messages"] == turn.added
    assert written["thread"] == {
        "org": "acme", "call_id": "c2", "follows": None, "unanswered": [turn.added[0].id],
        "settings": {
            name: [None, None]
            for name in ("router", "policy", "options", "optimize_for", "conversation_id", "memory")
        },
    }  # fmt: skip


def test_a_later_turn_has_the_conversation_and_what_the_thread_keeps():
    kept = {
        "org": "acme",
        "policy": {"max_tier": "mid"},
        "options": {"temperature": 1},
        "router": "auto",
        "call_id": "c1",
    }
    state = {**kept, "messages": TALK, "thread": THREAD, **begin_run({"prompt": "two", "options": {}})}
    turn = opened(state)
    assert texts(turn.request["messages"]) == ["one", "first", "two"]
    assert (turn.request["policy"], turn.request["options"]) == ({"max_tier": "mid"}, {})
    assert "call_id" not in turn.request
    written = turn.opened(CHANGE)
    assert {written[name] for name in STALE} == {None}
    assert Reply.__annotations__.keys() - {"org", "call_id", "conversation_id"} <= written.keys()
    assert written["thread"]["follows"] == "c1"


def test_the_last_calls_id_is_stale_and_any_other_is_given():
    state = {"messages": TALK, "thread": THREAD, "call_id": "c1"}
    assert "call_id" not in opened({**state, **begin_run({"prompt": "two", "call_id": "c1"})}).request
    assert opened({**state, **begin_run({"prompt": "two", "call_id": "x"})}).request["call_id"] == "x"
    assert (
        opened({**state, "call_id": "edited", **begin_run({"prompt": "two"})}).request["call_id"] == "edited"
    )


def test_a_turn_without_an_answer_is_dropped_by_the_next():
    lost = {"role": "user", "content": "lost"}
    thread = {**THREAD, "unanswered": ["q2", mark(lost)]}
    state = {"messages": [lost, *TALK, HumanMessage("lost too", id="q2"), lost], "thread": thread}
    turn = opened({**state, **begin_run({"prompt": "two"})})
    assert texts(turn.request["messages"]) == ["lost", "one", "first", "two"]
    conversation = turn.opened(CHANGE)["messages"]
    assert isinstance(conversation, Overwrite)
    assert texts(conversation.value) == ["lost", "one", "first", "two"]


def test_a_thread_belongs_to_one_org():
    require_org("acme", "acme")
    for org, message in (("other", "belongs to org 'acme'"), ("../x", "org must be")):
        with pytest.raises(InvalidRequest, match=message) as refused:
            opened({"messages": TALK, "thread": THREAD, **begin_run({"prompt": "two", "org": org})})
        assert refused.value.field == "org"


def test_edits_by_hand_before_the_call_is_opened_win_over_what_was_given():
    state = {**begin_run({"prompt": "hi", "hint": "qa"}), "prompt": "edited", "hint": "code"}
    turn = opened(state)
    assert (texts(turn.request["messages"]), turn.request["hint"]) == (["edited"], "code")
    assert isinstance(turn.opened(CHANGE)["messages"], Overwrite)
    assert "messages" not in opened({**state, "prompt": " "}).request


def test_nothing_new_to_answer_is_refused_by_name():
    state = {"messages": TALK, "thread": THREAD, **begin_run({"policy": {}})}
    with pytest.raises(InvalidRequest, match="nothing new to answer"):
        opened(state)
    with pytest.raises(InvalidRequest, match="nothing new to answer"):
        opened({**state, "messages": []})
    waiting = [*TALK, HumanMessage("two", id="q2")]
    assert texts(opened({**state, "messages": waiting}).request["messages"]) == ["one", "first", "two"]


def test_an_empty_thread_without_a_question_is_left_for_the_check_to_name():
    assert "messages" not in opened(begin_run({})).request
    assert opened(begin_run({"messages": []})).request["messages"] == []


def test_words_that_were_not_kept_are_asked_for_by_the_settings_name():
    for state in ({}, {"messages": [], "thread": THREAD, **begin_run({"policy": {}})}):
        with pytest.raises(
            TextNotKept, match=r"keep_text=True.*X25_STORE_PROMPTS=true or X25_CHECKPOINTS=sync"
        ):
            opened(state, keeps_text=False)
    assert texts(opened(begin_run({"prompt": "hi"}), keeps_text=False).request["messages"]) == ["hi"]
