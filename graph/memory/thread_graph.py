"""A state graph that takes each new input for the next turn of its thread."""

from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from ...state.types import CascadeState, Context, Reply, Request
from .channels import INPUT_CHANNELS, OUTPUT_CHANNELS, ThreadState
from .privacy import PrivateThreadState, UnkeptInput, private_saver
from .turns import begin_run


class ThreadGraph(StateGraph[CascadeState, Context, Request, Reply]):
    """A graph over `ThreadState`, which checkpoints keep whole or without a word of the caller or of a model."""

    def __init__(self, *, keeps_text: bool) -> None:
        super().__init__(
            ThreadState if keeps_text else PrivateThreadState,
            context_schema=Context,
            input_schema=Request,
            output_schema=Reply,
        )
        # Forms show requests and replies; a run writes and returns a little more.
        self.schemas[Request] |= {name: self.channels[name] for name in INPUT_CHANNELS}
        self.schemas[Reply] |= {name: self.channels[name] for name in OUTPUT_CHANNELS}
        self.keeps_text = keeps_text

    def compile(
        self, checkpointer: Any = None, **arguments: Any
    ) -> CompiledStateGraph[CascadeState, Context, Request, Reply]:
        """Return the graph ready to run; arguments as for any `StateGraph`."""
        if not self.keeps_text and isinstance(checkpointer, BaseCheckpointSaver):
            checkpointer = private_saver(checkpointer)
        compiled = super().compile(checkpointer, **arguments)
        # LangGraph has no hook between an input and the channels: its start node writes what it is given.
        compiled.nodes[START] = compiled.nodes[START].copy({"mapper": begin_run})
        if not self.keeps_text:
            compiled.channels[START] = UnkeptInput(Request)
        return compiled
