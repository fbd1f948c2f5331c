import asyncio
from typing import get_type_hints

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.channels import UntrackedValue
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Overwrite

from x25.graph.memory.channels import ThreadState
from x25.graph.memory.privacy import (
    INPUT_NOT_KEPT,
    PrivateThreadState,
    UnkeptInput,
    UntrackedMessages,
    private_saver,
    untracked_channels,
    without_words,
)  # fmt: skip
from x25.state.errors import CallFailed, InvalidRequest

WORDY = {
    "prompt", "hint", "messages", "given", "turn", "options", "inputs", "answers", "text", "message", "logprobs",
    "verdict", "explain", "recalled", "user_id", "hit",
}  # fmt: skip


def test_every_channel_that_may_hold_words_is_kept_out_of_checkpoints():
    assert untracked_channels(PrivateThreadState) == WORDY | {"running"}
    assert untracked_channels(ThreadState) == {"running"}


def test_the_private_state_has_the_channels_of_the_open_one_and_the_wordy_ones_of_a_reply():
    open_, private = get_type_hints(ThreadState).keys(), get_type_hints(PrivateThreadState).keys()
    assert private - open_ == {"text", "message", "logprobs", "verdict"}
    assert open_ <= private


def test_a_conversation_lasts_one_run_and_is_added_to():
    channel = UntrackedMessages(list)
    assert isinstance(channel, UntrackedValue)
    assert not channel.is_available()
    assert channel.update([[HumanMessage("a", id="1")]])
    assert channel.update([[AIMessage("b", id="2")], [HumanMessage("A", id="1")]])
    assert [message.content for message in channel.get()] == ["A", "b"]
    assert [message.content for message in channel.copy().get()] == ["A", "b"]
    assert channel.update([Overwrite([HumanMessage("c")])])
    assert [message.content for message in channel.get()] == ["c"]
    assert not channel.update([])
    assert not channel.from_checkpoint(channel.checkpoint()).is_available()


def test_an_input_is_kept_as_no_more_than_that_there_was_one():
    channel = UnkeptInput(dict)
    channel.update([{"prompt": "marmalade"}])
    assert channel.get() == {"prompt": "marmalade"}
    assert channel.checkpoint() == INPUT_NOT_KEPT
    assert channel.from_checkpoint(channel.checkpoint()).get() == INPUT_NOT_KEPT
    channel.update([])
    assert not channel.from_checkpoint(channel.checkpoint()).is_available()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (InvalidRequest("marmalade", field="prompt"), "InvalidRequest(invalid_request)"),
        (CallFailed("marmalade", attempts=[]), "CallFailed(call_failed)"),
        (RuntimeError("marmalade"), "RuntimeError"),
    ],
)
def test_of_an_exception_class_and_code_are_said(error, said):
    assert without_words(error) == said


@pytest.mark.parametrize("awaited", [True, False])
def test_a_private_saver_shares_its_rows_and_is_given_no_word(awaited):
    saver = InMemorySaver()
    private = private_saver(saver)
    config = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}
    config = private.put(config, empty_checkpoint(), {}, {})
    writes = [("text", "marmalade"), ("tier", "mid"), ("__error__", RuntimeError("marmalade"))]
    if awaited:
        asyncio.run(private.aput_writes(config, writes, "task"))
    else:
        private.put_writes(config, writes, "task")
    stored = saver.get_tuple(config).pending_writes
    assert sorted(stored) == [("task", "__error__", "RuntimeError"), ("task", "tier", "mid")]
