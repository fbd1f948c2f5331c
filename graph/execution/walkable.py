"""What the direct walk knows of a compiled graph, and which graphs it leaves to LangGraph's executor."""

from collections.abc import Iterator
from typing import Any, TypeAlias

from langgraph._internal._constants import TASKS
from langgraph.channels import BinaryOperatorAggregate, EphemeralValue, LastValue, UntrackedValue
from langgraph.channels.base import BaseChannel
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph.state import CompiledStateGraph
from langgraph.pregel._algo import increment
from langgraph.pregel._read import PregelNode
from langgraph.pregel._write import ChannelWrite, ChannelWriteEntry

CompiledGraph: TypeAlias = CompiledStateGraph[Any, Any, Any, Any]

LASTING = (LastValue, BinaryOperatorAggregate, UntrackedValue)
"""Kinds of channel that keep what they hold until somebody writes to them."""
FADING = EphemeralValue
"""The kind that is empty again after a step in which nobody did."""
VERBATIM = (LastValue, UntrackedValue, EphemeralValue)
"""Kinds that hold just what was written to them last."""


class Unwalkable(Exception):
    """The graph has something that only LangGraph's executor knows."""


class WalkableGraph:
    """A compiled graph whose steps have one node each.

    Raises
    ------
    Unwalkable
        When there is anything that only LangGraph's executor knows.
    """

    def __init__(self, compiled: CompiledGraph) -> None:
        reason = next(_unknown(compiled), None)
        if reason is not None:
            raise Unwalkable(reason)
        self.nodes = compiled.nodes
        self.outputs: list[str] = list(compiled.output_channels)
        self.channel_to_nodes = compiled.trigger_to_nodes
        self.channels = {
            name: one
            for name, one in compiled.channels.items()
            if name != TASKS and isinstance(one, BaseChannel)
        }
        self.fading = frozenset(name for name, one in self.channels.items() if isinstance(one, FADING))
        self.reducers = frozenset(name for name, one in self.channels.items() if type(one) not in VERBATIM)
        """Channels that make something of what is written to them."""
        self.unkept = frozenset(name for name, one in self.channels.items() if type(one) is UntrackedValue)
        """Verbatim channels that no checkpoint holds."""
        saver = compiled.checkpointer
        self.has_saver = isinstance(saver, BaseCheckpointSaver)
        self.next_version = saver.get_next_version if isinstance(saver, BaseCheckpointSaver) else increment


def _unknown(compiled: CompiledGraph) -> Iterator[str]:
    """Yield what a graph has that the walk does not know."""
    for name in (
        "interrupt_before_nodes",
        "interrupt_after_nodes",
        "retry_policy",
        "cache_policy",
        "step_timeout",
    ):
        if getattr(compiled, name):
            yield f"the graph has {name}"
    for name, channel in compiled.channels.items():
        if name != TASKS:
            yield from _unknown_of_channel(name, channel)
    for name, node in compiled.nodes.items():
        for policy in ("retry_policy", "cache_policy", "timeout", "error_handler_node", "subgraphs"):
            if getattr(node, policy):
                yield f"node {name} has {policy}"
        if _ways_out(node) > 1:
            yield f"node {name} leads to several nodes at once"


def _unknown_of_channel(name: str, channel: object) -> Iterator[str]:
    if not isinstance(channel, (*LASTING, FADING)):
        yield f"channel {name} is a {type(channel).__name__}"
        return
    kind = type(channel)
    if kind.consume is not BaseChannel.consume or kind.finish is not BaseChannel.finish:
        yield f"channel {name}, a {kind.__name__}, changes when it is read or at the end"


def _ways_out(node: PregelNode) -> int:
    """Return how many edges leave a node, a conditional one counted once."""
    straight = [
        entry
        for writer in node.writers
        if isinstance(writer, ChannelWrite)
        for entry in writer.writes
        if isinstance(entry, ChannelWriteEntry)
    ]
    conditional = [writer for writer in node.writers if not isinstance(writer, ChannelWrite)]
    return len(straight) + len(conditional)
