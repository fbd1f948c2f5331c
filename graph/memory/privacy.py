"""Which parts of a call never reach a checkpoint, whatever saver writes it and wherever a run ends."""

import copy
from collections.abc import Sequence
from typing import Annotated, Any, get_type_hints

from langchain_core.runnables import RunnableConfig
from langgraph.channels import EphemeralValue, UntrackedValue
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.types import Overwrite

from ...state.errors import X25Error
from ...state.types import JSONObject, Logprobs
from .channels import ThreadState
from .messages import Message, add_messages

HOW_TO_KEEP = (
    "compile build_cascade(..., keep_text=True) to keep words in checkpoints; at the gateway set "
    "X25_STORE_PROMPTS=true or X25_CHECKPOINTS=sync"
)
INPUT_NOT_KEPT = {"words": "not kept"}
"""Stands in a checkpoint where a run's input was."""


class UntrackedMessages(UntrackedValue[list[Message]]):
    """A conversation that lasts one run: messages are added as `add_messages` does, and none is checkpointed."""

    def update(self, values: Sequence[Any]) -> bool:
        """Add what was written in one step; return whether anything was."""
        for value in values:
            is_new = isinstance(value, Overwrite)
            self.value = (
                value.value if is_new else add_messages(self.get() if self.is_available() else [], value)
            )
        return bool(values)


class UnkeptInput(EphemeralValue[Any]):
    """The input of a run, of which a checkpoint holds no more than that there was one."""

    def checkpoint(self) -> Any:
        """Return the placeholder, or nothing where there is no input."""
        return INPUT_NOT_KEPT if self.is_available() else super().checkpoint()


class PrivateThreadState(ThreadState, total=False):
    """The same memory with every channel that holds words of the caller or of a model kept out of checkpoints."""

    prompt: Annotated[str, UntrackedValue(str)]
    hint: Annotated[str | None, UntrackedValue(str)]
    user_id: Annotated[str, UntrackedValue(str)]
    messages: Annotated[list[JSONObject], UntrackedMessages(list)]
    given: Annotated[JSONObject | None, UntrackedValue(dict)]
    turn: Annotated[list[Any] | None, UntrackedValue(list)]
    options: Annotated[JSONObject, UntrackedValue(dict)]
    recalled: Annotated[JSONObject | None, UntrackedValue(dict)]
    hit: Annotated[JSONObject | None, UntrackedValue(dict)]
    inputs: Annotated[JSONObject, UntrackedValue(dict)]
    # Reasons quote: a check shows how a refusal begins, a judge and a provider's error say what they like.
    answers: Annotated[list[JSONObject], UntrackedValue(list)]
    text: Annotated[str, UntrackedValue(str)]
    message: Annotated[JSONObject, UntrackedValue(dict)]
    logprobs: Annotated[Logprobs | None, UntrackedValue(dict)]
    verdict: Annotated[JSONObject, UntrackedValue(dict)]
    explain: Annotated[JSONObject, UntrackedValue(dict)]


def untracked_channels(schema: type[Any]) -> frozenset[str]:
    """Return the channels of a state that no checkpoint holds."""
    hints = get_type_hints(schema, include_extras=True)
    return frozenset(
        name
        for name, hint in hints.items()
        if any(isinstance(extra, UntrackedValue) for extra in getattr(hint, "__metadata__", ()))
    )


def without_words(error: BaseException) -> str:
    """Return an exception's class and code: its sentence may quote the caller."""
    code = f"({error.code})" if isinstance(error, X25Error) else ""
    return f"{type(error).__name__}{code}"


UNKEPT = untracked_channels(PrivateThreadState)


def wordless(writes: Sequence[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Return what may be stored of what a step had done when its run ended in the middle of it."""
    return [
        (channel, without_words(value) if isinstance(value, BaseException) else value)
        for channel, value in writes
        if channel not in UNKEPT
    ]


def private_saver(saver: BaseCheckpointSaver[Any]) -> BaseCheckpointSaver[Any]:
    """Return the same saver for a graph that keeps no words: it shares its rows, and is never given any.

    LangGraph writes down what a step had done when a run ends in the middle of it, untracked channels included, and
    the text of an exception.
    """

    def put_writes(
        config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        saver.put_writes(config, wordless(writes), task_id, task_path)

    async def aput_writes(
        config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        await saver.aput_writes(config, wordless(writes), task_id, task_path)

    private = copy.copy(saver)
    private.put_writes, private.aput_writes = put_writes, aput_writes  # type: ignore[method-assign]
    return private
