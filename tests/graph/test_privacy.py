from typing import get_type_hints

from langgraph.channels import UntrackedValue

from x25.graph.privacy import PrivateCascadeState
from x25.state.types import CascadeState, Reply

WORDY = {
    "prompt",
    "messages",
    "options",
    "inputs",
    "answers",
    "text",
    "message",
    "verdict",
    "explain",
}


def test_every_channel_that_may_hold_words_is_kept_out_of_checkpoints():
    hints = get_type_hints(PrivateCascadeState, include_extras=True)
    untracked = {
        name for name, hint in hints.items()
        if any(isinstance(extra, UntrackedValue) for extra in getattr(hint, "__metadata__", ()))
    }  # fmt: skip
    assert untracked == WORDY


def test_the_private_state_has_the_same_channels_as_the_open_one():
    open_channels = get_type_hints(CascadeState).keys() | get_type_hints(Reply).keys()
    assert get_type_hints(CascadeState).keys() <= get_type_hints(PrivateCascadeState).keys() <= open_channels
